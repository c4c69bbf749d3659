package io.millrace.jobs.inspect;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.engine.api.TokenIds;
import io.millrace.jobs.JobException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// JSON that the commands read and write.
final class JsonFiles {
    private static final ObjectMapper JSON = new ObjectMapper();

    private JsonFiles() {}

    static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new JobException(file + ": expected readable UTF-8 text, got " + e, e);
        }
    }

    /// Token ids from a JSON array of integers.
    static TokenIds tokens(Path file) {
        JsonNode array;
        try {
            array = JSON.readTree(text(file));
        } catch (JsonProcessingException e) {
            throw new JobException(file + ": expected a JSON array of token ids, got " + e.getOriginalMessage(), e);
        }
        if (!array.isArray() || array.isEmpty()) {
            throw new JobException(
                    file + ": expected a JSON array of at least one token id, got " + array.getNodeType());
        }
        int[] ids = new int[array.size()];
        for (int at = 0; at < ids.length; at++) {
            JsonNode id = array.get(at);
            if (!id.canConvertToInt() || !id.isIntegralNumber()) {
                throw new JobException(file + ": expected a token id at index " + at + ", got " + id);
            }
            ids[at] = id.intValue();
        }
        return TokenIds.of(ids);
    }
}
