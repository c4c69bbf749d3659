package io.millrace.udf;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;

/// The reference texts that a row's reference is: one, or those of a JSON array of strings.
public final class References {
    private static final ObjectMapper JSON = new ObjectMapper();

    private References() {}

    public static List<String> of(String reference) {
        if (!reference.startsWith("[")) {
            return List.of(reference);
        }
        try {
            JsonNode array = JSON.readTree(reference);
            List<String> texts = new ArrayList<>();
            for (JsonNode text : array) {
                if (!text.isTextual()) {
                    return List.of(reference);
                }
                texts.add(text.asText());
            }
            return texts.isEmpty() ? List.of(reference) : texts;
        } catch (JsonProcessingException _) {
            // a text that happens to begin with a bracket
            return List.of(reference);
        }
    }
}
