package io.millrace.udf;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.engine.api.ExpertLoad;
import java.io.Serializable;

/// Which experts an executor's engine has sent tokens to since it was opened; sent to the driver when its
/// tasks end, and now and then before.
///
/// @param executorId Spark's name of the executor
/// @param json an {@link ExpertLoad}
record ExpertReport(String executorId, String json) implements Serializable {
    private static final ObjectMapper JSON = new ObjectMapper();

    static ExpertReport of(String executorId, ExpertLoad load) {
        try {
            return new ExpertReport(executorId, JSON.writeValueAsString(load));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("numbers can always be written", e);
        }
    }

    ExpertLoad load() {
        try {
            return JSON.readValue(json, ExpertLoad.class);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("expert load: expected what an executor wrote, got " + json, e);
        }
    }
}
