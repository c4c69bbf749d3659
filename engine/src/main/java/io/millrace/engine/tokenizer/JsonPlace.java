package io.millrace.engine.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A node of a JSON file that knows where it stands, so that every refusal names the file and the path.
record JsonPlace(String file, String path, JsonNode node) {

    /// The member; a place without a value if it is absent.
    JsonPlace member(String name) {
        JsonNode member = node.get(name);
        return new JsonPlace(file, path + "." + name, member == null ? MissingNode.getInstance() : member);
    }

    /// The member, unless it is absent or null.
    Optional<JsonPlace> optional(String name) {
        return Optional.of(member(name)).filter(JsonPlace::hasValue);
    }

    boolean hasValue() {
        return !node.isMissingNode() && !node.isNull();
    }

    List<JsonPlace> elements() {
        if (!node.isArray()) {
            throw expected("an array");
        }
        List<JsonPlace> elements = new ArrayList<>(node.size());
        for (JsonNode element : node) {
            elements.add(new JsonPlace(file, path + "[" + elements.size() + "]", element));
        }
        return elements;
    }

    JsonPlace object() {
        if (!node.isObject()) {
            throw expected("an object");
        }
        return this;
    }

    String text() {
        if (!node.isTextual()) {
            throw expected("a string");
        }
        return node.textValue();
    }

    /// @param bound exclusive
    int intBelow(int bound) {
        if (!node.isInt() || node.intValue() < 0 || node.intValue() >= bound) {
            throw expected("an integer from 0 to " + (bound - 1));
        }
        return node.intValue();
    }

    boolean flag(String name, boolean otherwise) {
        Optional<JsonPlace> member = optional(name);
        if (member.isEmpty()) {
            return otherwise;
        }
        if (!member.get().node.isBoolean()) {
            throw member.get().expected("true or false");
        }
        return member.get().node.booleanValue();
    }

    EngineException expected(String what) {
        String got = node.isMissingNode() ? "nothing" : node.toString();
        return refused("expected " + what + ", got " + (got.length() > 80 ? got.substring(0, 80) + "…" : got));
    }

    EngineException refused(String reason) {
        return new EngineException(ErrorCode.MODEL_MISMATCH, file + ": " + path + ": " + reason);
    }
}
