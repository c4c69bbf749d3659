package io.millrace.jobs.generate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/// Reads the keys of one mapping of a pipeline file, and collects everything that is wrong instead of
/// stopping at the first. A value that is wrong is read as a harmless one, which nobody sees.
final class Parameters {
    private final String place;
    private final JsonNode node;
    private final List<String> problems;
    private final Set<String> known = new LinkedHashSet<>();

    /// @param place where the mapping stands, for messages
    /// @param problems what is wrong is added there
    Parameters(String place, @Nullable JsonNode node, List<String> problems) {
        this.place = place;
        this.problems = problems;
        if (node != null && node.isObject()) {
            this.node = node;
            return;
        }
        if (node != null && !node.isNull()) {
            problems.add(place + ": expected a mapping, got " + node);
        }
        this.node = JsonNodeFactory.instance.objectNode();
    }

    /// The value as it stands; missing if there is none.
    JsonNode node(String key) {
        known.add(key);
        return node.path(key);
    }

    boolean has(String key) {
        return !node(key).isMissingNode() && !node(key).isNull();
    }

    /// A mapping below this one; empty if there is none.
    Parameters below(String key) {
        return new Parameters(place + "." + key, node(key).isMissingNode() ? null : node(key), problems);
    }

    @Nullable
    String optional(String key) {
        JsonNode value = node(key);
        if (value.isMissingNode() || value.isNull()) {
            return null;
        }
        if (!value.isValueNode()) {
            wrong(key, "a text", value);
            return null;
        }
        return value.asText();
    }

    String text(String key) {
        String value = optional(key);
        if (value == null) {
            problems.add(place + "." + key + ": expected a value, got none");
            return "";
        }
        return value;
    }

    String text(String key, String otherwise) {
        String value = optional(key);
        return value == null ? otherwise : value;
    }

    /// One of some words.
    String choice(String key, String otherwise, List<String> choices) {
        String value = text(key, otherwise);
        if (!choices.contains(value)) {
            wrong(key, "one of " + choices, value);
            return otherwise;
        }
        return value;
    }

    boolean flag(String key, boolean otherwise) {
        JsonNode value = node(key);
        if (!value.isMissingNode() && !value.isBoolean()) {
            wrong(key, "true or false", value);
        }
        return value.asBoolean(otherwise);
    }

    long whole(String key, long otherwise, long least) {
        JsonNode value = node(key);
        if (value.isMissingNode()) {
            return otherwise;
        }
        if (!value.isIntegralNumber() || !value.canConvertToLong() || value.asLong() < least) {
            wrong(key, "a whole number >= " + least, value);
            return otherwise;
        }
        return value.asLong();
    }

    int integer(String key, int otherwise, int least) {
        long value = whole(key, otherwise, least);
        if (value > Integer.MAX_VALUE) {
            wrong(key, "a whole number <= " + Integer.MAX_VALUE, value);
            return otherwise;
        }
        return (int) value;
    }

    double decimal(String key, double otherwise, double least, double most) {
        JsonNode value = node(key);
        if (value.isMissingNode()) {
            return otherwise;
        }
        if (!value.isNumber() || !(value.asDouble() >= least && value.asDouble() <= most)) {
            wrong(key, "a number from " + least + " to " + most, value);
            return otherwise;
        }
        return value.asDouble();
    }

    /// A list of texts; a single text is a list of one.
    List<String> texts(String key, List<String> otherwise) {
        JsonNode value = node(key);
        if (value.isMissingNode()) {
            return otherwise;
        }
        List<String> texts = new ArrayList<>();
        for (JsonNode item :
                value.isArray() ? value : JsonNodeFactory.instance.arrayNode().add(value)) {
            if (!item.isValueNode() || item.isNull()) {
                wrong(key, "a list of texts", value);
                return otherwise;
            }
            texts.add(item.asText());
        }
        return texts;
    }

    Pattern pattern(String key, String otherwise) {
        String value = text(key, otherwise);
        try {
            return Pattern.compile(value);
        } catch (PatternSyntaxException e) {
            wrong(key, "a regular expression of java.util.regex", value + " (" + e.getDescription() + ")");
            return Pattern.compile("");
        }
    }

    /// The mappings of a list, each with its place.
    List<Parameters> list(String key) {
        JsonNode value = node(key);
        List<Parameters> list = new ArrayList<>();
        if (!value.isMissingNode() && !value.isArray()) {
            wrong(key, "a list", value);
            return list;
        }
        for (JsonNode item : value) {
            list.add(new Parameters(place + "." + key + "[" + list.size() + "]", item, problems));
        }
        return list;
    }

    /// Keys of a mapping, whatever they are.
    Map<String, JsonNode> entries() {
        Map<String, JsonNode> entries = new LinkedHashMap<>();
        node.properties().forEach(entry -> entries.put(entry.getKey(), entry.getValue()));
        known.addAll(entries.keySet());
        return entries;
    }

    void wrong(String key, String expected, Object got) {
        problems.add(place + "." + key + ": expected " + expected + ", got " + got);
    }

    /// Complains about keys that nobody asked for.
    void refuseUnknown() {
        for (Map.Entry<String, JsonNode> entry : node.properties()) {
            if (!known.contains(entry.getKey())) {
                problems.add(place + "." + entry.getKey() + ": no such key; expected some of " + known);
            }
        }
    }
}
