package io.millrace.engine.json;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// Reads a JSON Schema as the shape of the values it allows. What cannot be kept to while a text is
/// written is refused by name, never passed over.
///
/// A schema that says nothing of the type but has keywords of one (`properties`, `items`, `pattern`, …)
/// means that type: stricter than the standard, which would allow any value of the others.
final class SchemaReader {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static final Set<String> NOTES = Set.of(
            "$schema",
            "$id",
            "$comment",
            "$defs",
            "definitions",
            "title",
            "description",
            "default",
            "examples",
            "deprecated",
            "readOnly",
            "writeOnly");
    private static final Map<String, Set<String>> OF_TYPE = Map.of(
            "object", Set.of("properties", "required", "additionalProperties"),
            "array", Set.of("items", "minItems", "maxItems"),
            "string", Set.of("minLength", "maxLength", "pattern"),
            "number", Set.of(),
            "integer", Set.of(),
            "boolean", Set.of(),
            "null", Set.of());
    /// Beside which only notes may stand, since what both say would have to be met at once.
    private static final List<String> ALONE = List.of("$ref", "anyOf", "enum", "const");

    private final JsonNode root;
    private final Map<String, Shape> named = new HashMap<>();
    private final Set<String> open = new HashSet<>();

    private SchemaReader(JsonNode root) {
        this.root = root;
    }

    /// @throws EngineException INVALID_REQUEST if it is no schema, or has a keyword that is not supported
    static Shape read(String schema) {
        try {
            JsonNode root = JSON.readTree(schema);
            SchemaReader reader = new SchemaReader(root);
            Shape shape = reader.shape(root, "");
            reader.readNamed();
            return shape;
        } catch (JsonProcessingException e) {
            throw new EngineException(
                    ErrorCode.INVALID_REQUEST, "schema: expected JSON, got " + e.getOriginalMessage(), e);
        }
    }

    /// What is referred to is read at once, so that its faults are told before anything is written.
    private void readNamed() {
        Set<String> read = new HashSet<>();
        while (!read.containsAll(named.keySet())) {
            for (String name : List.copyOf(named.keySet())) {
                if (read.add(name)) {
                    resolved(name);
                }
            }
        }
    }

    private Shape shape(JsonNode schema, String place) {
        if (schema.isBoolean() && schema.booleanValue()) {
            return new Shape.Any();
        }
        if (!schema.isObject()) {
            throw refused(place, "a schema that allows some value, got " + schema);
        }
        for (String keyword : ALONE) {
            if (schema.has(keyword)) {
                Set<String> beside = keywords(schema);
                beside.remove(keyword);
                if (keyword.equals("enum") || keyword.equals("const")) {
                    beside.remove("type");
                }
                if (!beside.isEmpty()) {
                    throw refused(place, "nothing beside " + keyword + ", got " + beside);
                }
                return alone(keyword, schema, place);
            }
        }
        List<Shape> shapes = new ArrayList<>();
        List<String> types = types(schema, place);
        requireKnown(schema, types, place);
        for (String type : types) {
            shapes.add(ofType(type, schema, place));
        }
        return shapes.isEmpty() ? new Shape.Any() : shapes.size() == 1 ? shapes.getFirst() : new Shape.AnyOf(shapes);
    }

    private static Set<String> keywords(JsonNode schema) {
        Set<String> keywords = new TreeSet<>();
        schema.fieldNames().forEachRemaining(keywords::add);
        keywords.removeAll(NOTES);
        return keywords;
    }

    private static void requireKnown(JsonNode schema, List<String> types, String place) {
        Set<String> keywords = keywords(schema);
        keywords.remove("type");
        types.forEach(type -> keywords.removeAll(OF_TYPE.getOrDefault(type, Set.of())));
        if (!keywords.isEmpty()) {
            throw refused(
                    place,
                    "keywords that can be kept to"
                            + (types.isEmpty() ? "" : " of a value of type " + String.join(" or ", types))
                            + ", got " + String.join(", ", keywords));
        }
    }

    private Shape alone(String keyword, JsonNode schema, String place) {
        JsonNode value = schema.path(keyword);
        String at = place + "/" + keyword;
        return switch (keyword) {
            case "$ref" -> reference(value, at);
            case "anyOf" -> {
                List<Shape> shapes = new ArrayList<>();
                for (JsonNode each : array(value, at)) {
                    shapes.add(shape(each, at + "/" + shapes.size()));
                }
                yield new Shape.AnyOf(shapes);
            }
            case "const" -> oneOf(List.of(value), schema, at);
            default -> oneOf(array(value, at), schema, at);
        };
    }

    private Shape oneOf(Iterable<JsonNode> values, JsonNode schema, String place) {
        List<String> types = schema.has("type") ? types(schema, place) : List.of();
        List<String> texts = new ArrayList<>();
        for (JsonNode value : values) {
            if (types.isEmpty() || types.stream().anyMatch(type -> isOf(type, value))) {
                texts.add(value.toString());
            }
        }
        if (texts.isEmpty()) {
            throw refused(place, "a value of type " + String.join(" or ", types) + ", got none");
        }
        return new Shape.OneOf(texts.stream().distinct().toList());
    }

    private static boolean isOf(String type, JsonNode value) {
        return switch (type) {
            case "object" -> value.isObject();
            case "array" -> value.isArray();
            case "string" -> value.isTextual();
            case "number" -> value.isNumber();
            case "integer" -> value.isIntegralNumber();
            case "boolean" -> value.isBoolean();
            default -> value.isNull();
        };
    }

    private static JsonNode array(JsonNode value, String place) {
        if (!value.isArray() || value.isEmpty()) {
            throw refused(place, "an array that is not empty, got " + value);
        }
        return value;
    }

    private Shape reference(JsonNode value, String place) {
        String name = value.asText();
        if (!name.equals("#") && !name.startsWith("#/")) {
            throw refused(place, "a place in this schema (#/…), got " + value);
        }
        return named.computeIfAbsent(name, _ -> new Shape.Named(name, () -> resolved(name)));
    }

    private final Map<String, Shape> resolved = new HashMap<>();

    private Shape resolved(String name) {
        Shape known = resolved.get(name);
        if (known != null) {
            return known;
        }
        JsonNode schema = name.equals("#") ? root : root.at(name.substring(1));
        if (schema.isMissingNode()) {
            throw refused(name, "a schema there, got none");
        }
        if (!open.add(name)) {
            throw refused(name, "a schema that is not only itself");
        }
        Shape shape = shape(schema, name);
        if (shape instanceof Shape.Named) {
            shape = throughNames(shape, name);
        }
        open.remove(name);
        resolved.put(name, shape);
        return shape;
    }

    private static Shape throughNames(Shape shape, String name) {
        Shape found = shape;
        while (found instanceof Shape.Named next) {
            if (next.name().equals(name)) {
                throw refused(name, "a schema that is not only itself");
            }
            found = next.shape().get();
        }
        return found;
    }

    private static List<String> types(JsonNode schema, String place) {
        JsonNode type = schema.path("type");
        List<String> types = new ArrayList<>();
        if (type.isMissingNode()) {
            OF_TYPE.forEach((name, keywords) -> {
                if (keywords.stream().anyMatch(schema::has)) {
                    types.add(name);
                }
            });
            return types;
        }
        for (JsonNode each : type.isArray() ? type : List.of(type)) {
            if (!OF_TYPE.containsKey(each.asText())) {
                throw refused(place + "/type", "one of " + new TreeSet<>(OF_TYPE.keySet()) + ", got " + each);
            }
            types.add(each.asText());
        }
        return types;
    }

    private Shape ofType(String type, JsonNode schema, String place) {
        return switch (type) {
            case "object" -> members(schema, place);
            case "array" -> {
                int least = number(schema, "minItems", 0, place);
                int most = number(schema, "maxItems", Integer.MAX_VALUE, place);
                requireOrdered(least, most, place);
                yield new Shape.Items(
                        schema.has("items") ? shape(schema.path("items"), place + "/items") : new Shape.Any(),
                        least,
                        most);
            }
            case "string" -> text(schema, place);
            case "number" -> new Shape.Numeric(false);
            case "integer" -> new Shape.Numeric(true);
            case "boolean" -> new Shape.OneOf(List.of("true", "false"));
            default -> new Shape.OneOf(List.of("null"));
        };
    }

    private static Shape text(JsonNode schema, String place) {
        int least = number(schema, "minLength", 0, place);
        int most = number(schema, "maxLength", Integer.MAX_VALUE, place);
        requireOrdered(least, most, place);
        JsonNode pattern = schema.path("pattern");
        if (pattern.isMissingNode()) {
            return new Shape.Text(least, most, new Language.All());
        }
        if (schema.has("minLength") || schema.has("maxLength")) {
            throw refused(place, "pattern alone, got it beside minLength or maxLength");
        }
        return new Shape.Text(0, Integer.MAX_VALUE, Pattern.read(pattern.asText(), place + "/pattern"));
    }

    private Shape members(JsonNode schema, String place) {
        Map<String, Shape> properties = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> property : schema.path("properties").properties()) {
            properties.put(property.getKey(), shape(property.getValue(), place + "/properties/" + property.getKey()));
        }
        JsonNode more = schema.path("additionalProperties");
        Shape others = more.isMissingNode()
                ? new Shape.Any()
                : more.isBoolean() && !more.booleanValue() ? null : shape(more, place + "/additionalProperties");
        Set<String> required = new HashSet<>();
        for (JsonNode name : schema.path("required")) {
            required.add(name.asText());
            if (others == null && !properties.containsKey(name.asText())) {
                throw refused(place + "/required", "names of properties, got " + name);
            }
        }
        return new Shape.Members(properties, required, others);
    }

    private static int number(JsonNode schema, String name, int otherwise, String place) {
        JsonNode value = schema.path(name);
        if (value.isMissingNode()) {
            return otherwise;
        }
        if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < 0) {
            throw refused(place + "/" + name, "a whole number from 0, got " + value);
        }
        return value.intValue();
    }

    private static void requireOrdered(int least, int most, String place) {
        if (least > most) {
            throw refused(place, "a least length of at most " + most + ", got " + least);
        }
    }

    static EngineException refused(String place, String expected) {
        String where = place.isEmpty() || place.startsWith("#") ? place : "#" + place;
        return new EngineException(
                ErrorCode.INVALID_REQUEST, "schema " + (where.isEmpty() ? "#" : where) + ": expected " + expected);
    }
}
