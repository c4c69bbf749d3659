package io.millrace.udf.agent;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/// Recorded turns, by instance: what the assistant says in trajectories, such as mini-swe-agent writes,
/// in their order.
///
/// @param turns instance to its turns
/// @param sha256 of the files, lower-case hex
record Script(Map<String, List<Turn>> turns, String sha256) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /// Reads a file of JSON lines, or all `*.traj.json` below a folder. Each is an object with
    /// `instance_id` and `messages`.
    ///
    /// @throws EngineException MODEL_MISMATCH if it is none, MODEL_UNREADABLE if it cannot be read
    static Script read(Path path) {
        try {
            Map<String, List<Turn>> turns = new TreeMap<>();
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (Path file : files(path)) {
                String text = Files.readString(file);
                digest.update(text.getBytes(StandardCharsets.UTF_8));
                List<String> objects =
                        Files.isDirectory(path) ? List.of(text) : text.lines().toList();
                for (String object : objects) {
                    if (!object.isBlank()) {
                        add(turns, object, file);
                    }
                }
            }
            return new Script(turns, HexFormat.of().formatHex(digest.digest()));
        } catch (IOException e) {
            throw new EngineException(
                    ErrorCode.MODEL_UNREADABLE, "script " + path + ": expected to be readable, got " + e, e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static List<Path> files(Path path) throws IOException {
        if (!Files.isDirectory(path)) {
            return List.of(path);
        }
        try (Stream<Path> files = Files.walk(path)) {
            return files.filter(file -> file.toString().endsWith(".traj.json"))
                    .sorted()
                    .toList();
        }
    }

    private static void add(Map<String, List<Turn>> turns, String json, Path file) {
        JsonNode trajectory;
        try {
            trajectory = JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw wrong(file, "JSON, got " + e.getOriginalMessage());
        }
        String instance = trajectory.path("instance_id").textValue();
        if (instance == null || !trajectory.path("messages").isArray()) {
            throw wrong(file, "objects with instance_id and messages");
        }
        List<Turn> said = new ArrayList<>();
        for (JsonNode message : trajectory.path("messages")) {
            String unread = message.at("/extra/model_response").textValue();
            if (message.path("role").asText().equals("assistant")) {
                said.add(turn(message));
            } else if (unread != null) {
                said.add(new Turn(unread, null, List.of(), "stop", Turn.Usage.NONE));
            }
        }
        if (turns.put(instance, said) != null) {
            throw wrong(file, "each instance once, got " + instance + " twice");
        }
    }

    private static Turn turn(JsonNode message) {
        List<Turn.ToolCall> calls = new ArrayList<>();
        for (JsonNode call : message.path("tool_calls")) {
            calls.add(new Turn.ToolCall(
                    call.path("id").asText(),
                    call.at("/function/name").asText(),
                    call.at("/function/arguments").asText()));
        }
        return new Turn(
                message.path("content").asText(""),
                message.path("reasoning_content").textValue(),
                calls,
                message.at("/extra/response/choices/0/finish_reason").asText("stop"),
                Turn.Usage.NONE);
    }

    private static EngineException wrong(Path file, String expected) {
        return new EngineException(ErrorCode.MODEL_MISMATCH, "script " + file + ": expected " + expected);
    }

    /// Says what is recorded for the conversation's instance.
    Policy policy() {
        return (conversation, step) -> {
            String instance = conversation.start().customId();
            List<Turn> recorded = instance == null ? List.of() : turns.getOrDefault(instance, List.of());
            if (step >= recorded.size()) {
                throw new PolicyEndException(
                        ExitStatus.SCRIPT_ENDED, "script: expected a turn " + step + " of " + instance);
            }
            return recorded.get(step);
        };
    }
}
