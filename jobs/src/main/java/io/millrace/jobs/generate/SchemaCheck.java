package io.millrace.jobs.generate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion.VersionFlag;
import com.networknt.schema.ValidationMessage;
import java.util.Comparator;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Whether an answer is one JSON value of a JSON Schema (draft 2020-12), and nothing else.
final class SchemaCheck implements Check {
    private static final long serialVersionUID = 1L;
    private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private final String schema;
    private transient @Nullable JsonSchema parsed;

    SchemaCheck(JsonNode schema) {
        this.schema = schema.toString();
    }

    @Override
    public Verdict of(Subject subject) {
        JsonNode value;
        try {
            value = JSON.readTree(subject.answer());
        } catch (JsonProcessingException e) {
            return new Verdict(false, null, "expected JSON, got " + e.getOriginalMessage());
        }
        if (value.isMissingNode()) {
            return new Verdict(false, null, "expected JSON, got nothing");
        }
        Set<ValidationMessage> faults = schema().validate(value);
        return new Verdict(
                faults.isEmpty(),
                null,
                faults.stream()
                        .map(ValidationMessage::getMessage)
                        .min(Comparator.naturalOrder())
                        .orElse(null));
    }

    private JsonSchema schema() {
        JsonSchema made = parsed;
        if (made == null) {
            made = JsonSchemaFactory.getInstance(VersionFlag.V202012).getSchema(schema);
            parsed = made;
        }
        return made;
    }
}
