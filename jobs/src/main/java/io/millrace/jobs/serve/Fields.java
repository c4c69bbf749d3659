package io.millrace.jobs.serve;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The fields of a request; null counts as absent. What this server does not know it ignores, as others do;
/// what it knows and does not do it refuses.
///
/// @param root an object
record Fields(JsonNode root) {

    Fields {
        if (!root.isObject()) {
            throw ApiException.invalid(null, "body: expected a JSON object, got " + kind(root));
        }
    }

    boolean has(String name) {
        return !root.path(name).isMissingNode() && !root.path(name).isNull();
    }

    JsonNode node(String name) {
        return root.path(name);
    }

    @Nullable
    String text(String name) {
        if (has(name) && !node(name).isTextual()) {
            throw wrong(name, "a string");
        }
        return node(name).textValue();
    }

    double number(String name, double otherwise) {
        if (has(name) && !node(name).isNumber()) {
            throw wrong(name, "a number");
        }
        return node(name).asDouble(otherwise);
    }

    int integer(String name, int otherwise, int least) {
        if (!has(name)) {
            return otherwise;
        }
        if (!node(name).isIntegralNumber()
                || !node(name).canConvertToInt()
                || node(name).intValue() < least) {
            throw wrong(name, "a whole number >= " + least);
        }
        return node(name).intValue();
    }

    long whole(String name, long otherwise) {
        if (has(name) && !(node(name).isIntegralNumber() && node(name).canConvertToLong())) {
            throw wrong(name, "a whole number of 64 bits");
        }
        return node(name).asLong(otherwise);
    }

    boolean flag(String name) {
        if (has(name) && !node(name).isBoolean()) {
            throw wrong(name, "true or false");
        }
        return node(name).asBoolean(false);
    }

    /// A string, or an array of them.
    List<String> texts(String name) {
        List<String> texts = new ArrayList<>();
        if (has(name)) {
            for (JsonNode text : node(name).isArray() ? node(name) : List.of(node(name))) {
                if (!text.isTextual()) {
                    throw wrong(name, "a string or an array of strings");
                }
                texts.add(text.textValue());
            }
        }
        return texts;
    }

    /// Refuses a field that asks for something; false, 0 and what is empty do not.
    void refuse(String name, String reason) {
        JsonNode value = node(name);
        boolean empty =
                value.isContainerNode() ? value.isEmpty() : value.asText().isEmpty();
        boolean off = value.isBoolean() ? !value.booleanValue() : value.isNumber() && value.doubleValue() == 0;
        if (has(name) && !empty && !off) {
            throw ApiException.unsupported(name, name + ": " + reason);
        }
    }

    ApiException wrong(String name, String expected) {
        return ApiException.invalid(name, name + ": expected " + expected + ", got " + kind(node(name)));
    }

    static String kind(JsonNode node) {
        String json = node.isMissingNode() ? "nothing" : node.toString();
        return json.length() > 60 ? json.substring(0, 60) + "…" : json;
    }
}
