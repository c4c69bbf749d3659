package io.millrace.udf;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.jspecify.annotations.Nullable;

/// What is wrong with a row, as one stage hands it to the next in a column, so that the row stays an error
/// row for its first reason.
///
/// @param raw what is kept of the record, null if there is nothing
public record CarriedFault(
        RowFault kind, String reason, @Nullable String raw) {
    private static final ObjectMapper JSON = new ObjectMapper();

    public String toJson() {
        try {
            return JSON.writeValueAsString(this);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("strings can always be written", e);
        }
    }

    /// @throws IllegalArgumentException if it is not what {@link #toJson} writes
    public static CarriedFault ofJson(String json) {
        try {
            return JSON.readValue(json, CarriedFault.class);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("fault: expected its JSON, got " + json, e);
        }
    }
}
