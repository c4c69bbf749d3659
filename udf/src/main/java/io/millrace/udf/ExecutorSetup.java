package io.millrace.udf;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import org.jspecify.annotations.Nullable;

/// What executors are told when they start: which engine each will need.
///
/// @param engine that of executors with cards, or of all if none has
/// @param beside that of executors without cards, where they compute too; else null
/// @param cards cards of each engine; 0 for none
/// @param cardLocks folder of the locks of a host's cards
public record ExecutorSetup(EngineRecipe engine, @Nullable EngineRecipe beside, int cards, String cardLocks) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /// As a JSON object with the components' names.
    String toJson() {
        try {
            return JSON.writeValueAsString(this);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("strings and numbers can always be written", e);
        }
    }

    /// @throws EngineException BAD_CONFIGURATION if it is not what {@link #toJson} writes
    static ExecutorSetup ofJson(String json) {
        try {
            return JSON.readValue(json, ExecutorSetup.class);
        } catch (JsonProcessingException e) {
            throw new EngineException(
                    ErrorCode.BAD_CONFIGURATION, "executor setup: expected its JSON, got " + e.getOriginalMessage(), e);
        }
    }
}
