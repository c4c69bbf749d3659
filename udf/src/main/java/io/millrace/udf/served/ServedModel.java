package io.millrace.udf.served;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.ModelSummary;
import io.millrace.udf.EngineIdentity;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a server says of its model, in its list of models.
///
/// @param entry the model's
record ServedModel(JsonNode entry) {
    private static final String NOT_TOLD = "not told";
    private static final String NOT_PROMISED = "not promised: the engine is served";
    private static final int UNKNOWN_POSITIONS = Integer.MAX_VALUE;

    /// @param models answer of `/v1/models`
    /// @param wanted name of the model; null for the first
    /// @throws EngineException BAD_CONFIGURATION if the server does not have it
    static ServedModel of(String models, @Nullable String wanted) {
        List<String> names = new ArrayList<>();
        for (JsonNode entry : entries(models)) {
            String name = entry.path("id").asText();
            if (wanted == null || name.equals(wanted)) {
                return new ServedModel(entry);
            }
            names.add(name);
        }
        throw new EngineException(
                ErrorCode.BAD_CONFIGURATION,
                "served.model: expected one of the server's models " + names + ", got " + wanted);
    }

    private static JsonNode entries(String models) {
        try {
            return new ObjectMapper().readTree(models).path("data");
        } catch (JsonProcessingException e) {
            throw new EngineException(
                    ErrorCode.BAD_CONFIGURATION,
                    "server: expected its models as JSON, got " + e.getOriginalMessage(),
                    e);
        }
    }

    String name() {
        return entry.path("id").asText();
    }

    /// `revision` where a server has it, else vLLM's `root`.
    String revision() {
        return entry.path("revision").asText(entry.path("root").asText(NOT_TOLD));
    }

    private String told(String field) {
        return entry.path(field).asText(NOT_TOLD);
    }

    /// Longest sequence as vLLM or llama.cpp tell it.
    private int maxPositions() {
        return entry.path("max_model_len")
                .asInt(entry.path("meta").path("n_ctx").asInt(UNKNOWN_POSITIONS));
    }

    ModelSummary summary() {
        return new ModelSummary(
                name(), told("weights_sha256"), told("quantization"), 0, 0, maxPositions(), 0, "served");
    }

    /// What of it can change an answer, as far as it is told; what computes is not, and may change unseen.
    EngineIdentity identity(String tokenizerSha256) {
        return new EngineIdentity(
                name(),
                revision(),
                told("weights_sha256"),
                tokenizerSha256,
                told("quantization"),
                "served",
                NOT_PROMISED);
    }
}
