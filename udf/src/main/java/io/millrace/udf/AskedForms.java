package io.millrace.udf;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaException;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion.VersionFlag;
import com.networknt.schema.ValidationMessage;
import com.networknt.schema.resource.DisallowSchemaLoader;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Whether answers are what was asked for. An answer that was cut, or that a server wrote, may be
/// something else. Confined to one task.
final class AskedForms {
    private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private static final int MOST_KEPT = 64;

    /// What a schema refers to elsewhere is not fetched.
    private final JsonSchemaFactory factory = JsonSchemaFactory.getInstance(
            VersionFlag.V202012,
            builder -> builder.schemaLoaders(loaders -> loaders.add(DisallowSchemaLoader.getInstance())));
    private final Map<String, JsonSchema> kept = new HashMap<>();

    /// What is wrong with an answer; null if nothing is.
    @Nullable
    String fault(String answer, Reading reading) {
        String schema = reading.schema();
        if (schema == null) {
            return null;
        }
        try {
            JsonNode value = JSON.readTree(answer);
            if (value.isMissingNode()) {
                return "response_format: expected a JSON value, got nothing";
            }
            Set<ValidationMessage> messages = schema(schema).validate(value);
            return messages.isEmpty()
                    ? null
                    : "response_format: " + messages.iterator().next().getMessage();
        } catch (JsonSchemaException e) {
            return "response_format: expected a schema that can be checked, got " + e.getMessage();
        } catch (JsonProcessingException e) {
            return "response_format: expected a JSON value, got " + e.getOriginalMessage();
        }
    }

    private JsonSchema schema(String schema) {
        if (kept.size() >= MOST_KEPT) {
            kept.clear();
        }
        return kept.computeIfAbsent(schema, factory::getSchema);
    }
}
