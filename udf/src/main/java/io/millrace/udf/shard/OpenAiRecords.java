package io.millrace.udf.shard;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.udf.RawText;
import io.millrace.udf.RowFault;
import io.millrace.udf.Utf8;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Each line is a request of OpenAI's batch format: `custom_id`, `method`, `url` and `body`. Whether
/// the body can be answered is found out where its prompt is made.
final class OpenAiRecords implements Records {
    private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private static final List<String> URLS = List.of("/v1/chat/completions", "/v1/completions");

    private final Lines lines;
    private final List<String> columns;
    private @Nullable JsonNode record;
    private @Nullable Fault fault;

    OpenAiRecords(Lines lines, List<String> columns) {
        this.lines = lines;
        this.columns = columns;
    }

    @Override
    public boolean next() throws IOException {
        do {
            if (!lines.next()) {
                return false;
            }
        } while (lines.isBlank());
        record = null;
        byte[] bytes = lines.line().copyBytes();
        String line = Utf8.text(bytes);
        fault = line == null ? Fault.notUnicode("", bytes) : parse(line);
        return true;
    }

    private @Nullable Fault parse(String line) {
        try {
            JsonNode found = JSON.readTree(line);
            String misfit = misfit(found);
            record = found;
            return misfit == null ? null : new Fault(RowFault.SCHEMA_MISMATCH, misfit, RawText.of(line));
        } catch (JsonProcessingException e) {
            return new Fault(
                    RowFault.MALFORMED_RECORD,
                    "expected a JSON object, got " + e.getOriginalMessage() + " at character "
                            + e.getLocation().getColumnNr(),
                    RawText.of(line));
        }
    }

    private static @Nullable String misfit(JsonNode request) {
        if (!request.isObject()) {
            return "expected a JSON object, got " + request.getNodeType();
        }
        if (!request.path("custom_id").isTextual()) {
            return "custom_id: expected a text, got "
                    + request.path("custom_id").getNodeType();
        }
        if (request.has("method") && !request.path("method").asText().equals("POST")) {
            return "method: expected POST, got " + request.path("method");
        }
        if (!URLS.contains(request.path("url").asText())) {
            return "url: expected one of " + URLS + ", got " + request.path("url");
        }
        boolean chat = request.path("url").asText().equals(URLS.getFirst());
        JsonNode body = request.path("body");
        if (!body.isObject()) {
            return "body: expected an object, got " + body.getNodeType();
        }
        return body.has(chat ? "messages" : "prompt")
                ? null
                : "body: expected " + (chat ? "messages" : "a prompt") + " for " + request.path("url") + ", got none";
    }

    @Override
    public @Nullable String value(int column) {
        JsonNode value = record == null ? null : record.get(columns.get(column));
        if (value == null || value.isNull()) {
            return null;
        }
        return value.isTextual() ? value.textValue() : value.toString();
    }

    @Override
    public @Nullable Fault fault() {
        return fault;
    }

    @Override
    public void close() throws IOException {
        lines.close();
    }
}
