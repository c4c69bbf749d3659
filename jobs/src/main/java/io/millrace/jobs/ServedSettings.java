package io.millrace.jobs;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.udf.EngineRecipe;
import io.millrace.udf.ServedRecipe;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The keys `served.*`: where the server is that computes, or how it is started.
final class ServedSettings {

    private static final Pattern SECRET = Pattern.compile("(?i).*(secret|password|passwd|token|key)");

    private ServedSettings() {}

    /// Null for an engine that asks no server.
    static @Nullable ServedRecipe read(ConfigReader reader) {
        String kind = reader.text("engine.kind");
        List<String> endpoints = reader.texts("served.endpoint");
        List<String> command = command(reader);
        if (!kind.equals(EngineRecipe.SERVED)) {
            if (!endpoints.isEmpty() || !command.isEmpty()) {
                reader.wrong("engine.kind", "served beside served.endpoint or served.command", kind);
            }
            return null;
        }
        if (endpoints.isEmpty() == command.isEmpty()) {
            reader.problem(
                    "served.endpoint",
                    "served: expected either served.endpoint or served.command, got "
                            + (command.isEmpty() ? "neither" : "both"));
        }
        endpoints.forEach(endpoint -> requireAddress(reader, endpoint));
        String tokenizer = reader.optional("served.tokenizer");
        if (tokenizer == null && !reader.text("prompt.max-tokens").equals("0")) {
            reader.problem(
                    "prompt.max-tokens",
                    "prompt.max-tokens: only with served.tokenizer can a served prompt's tokens be counted");
        }
        if (!reader.text("sampling.beams").equals("1")) {
            reader.wrong("sampling.beams", "1 of a served engine", reader.text("sampling.beams"));
        }
        return new ServedRecipe(
                endpoints.stream().map(ServedSettings::withoutSlash).toList(),
                command,
                environment(reader),
                reader.text("served.log-dir"),
                reader.integer("served.restarts", 0),
                reader.integer("served.start-seconds", 1),
                reader.integer("served.request-seconds", 1),
                reader.optional("served.model"),
                tokenizer,
                reader.optional("served.api-key-variable"),
                extraBody(reader));
    }

    private static String withoutSlash(String endpoint) {
        return endpoint.endsWith("/") ? endpoint.substring(0, endpoint.length() - 1) : endpoint;
    }

    /// Neither a password nor a key may stand in an address: it is written down.
    private static void requireAddress(ConfigReader reader, String endpoint) {
        try {
            URI address = new URI(endpoint);
            boolean web = "http".equals(address.getScheme()) || "https".equals(address.getScheme());
            if (web && address.getHost() != null && address.getUserInfo() == null && address.getQuery() == null) {
                return;
            }
        } catch (URISyntaxException _) {
            // said below
        }
        reader.problem(
                "served.endpoint",
                "served.endpoint: expected an address such as http://host:8000/v1, without user and query, got "
                        + endpoint.replaceAll("//[^/@]*@|[?].*", "…"));
    }

    /// One text is split at spaces; a list is taken word by word.
    private static List<String> command(ConfigReader reader) {
        List<String> words = reader.texts("served.command");
        if (words.size() == 1) {
            words = List.of(words.getFirst().strip().split("\\s+"));
        }
        if (words.stream().anyMatch(word -> word.startsWith("--api-key"))) {
            reader.problem(
                    "served.command",
                    "served.command: expected no key, since it is written down; servers take it from the environment of"
                            + " the executor");
        }
        return words;
    }

    private static Map<String, String> environment(ConfigReader reader) {
        Map<String, String> environment = new LinkedHashMap<>();
        for (String entry : reader.texts("served.environment")) {
            int end = entry.indexOf('=');
            String name = end < 0 ? entry : entry.substring(0, end);
            if (end < 1) {
                reader.wrong("served.environment", "NAME=VALUE", name);
            } else if (SECRET.matcher(name).matches()) {
                reader.problem(
                        "served.environment",
                        "served.environment: expected no secret, since it is written down, got " + name
                                + "; set it in the executors' environment, which the server inherits");
            } else {
                environment.put(name, entry.substring(end + 1));
            }
        }
        return environment;
    }

    private static String extraBody(ConfigReader reader) {
        String json = reader.text("served.extra-body");
        try {
            if (new ObjectMapper().readTree(json).isObject()) {
                return json;
            }
        } catch (JsonProcessingException _) {
            // said below
        }
        reader.wrong("served.extra-body", "a JSON object", json);
        return "{}";
    }

    /// Every key with its value, to be written down.
    static Map<String, Object> keys(ServedRecipe served) {
        Map<String, Object> keys = new LinkedHashMap<>();
        keys.put("endpoint", served.endpoints());
        keys.put("command", served.command());
        List<String> environment = new ArrayList<>();
        served.environment().forEach((name, value) -> environment.add(name + "=" + value));
        keys.put("environment", environment.stream().sorted().toList());
        keys.put("log-dir", served.logDir());
        keys.put("restarts", served.restarts());
        keys.put("start-seconds", served.startSeconds());
        keys.put("request-seconds", served.requestSeconds());
        ConfigFile.putIfThere(keys, "model", served.model());
        ConfigFile.putIfThere(keys, "tokenizer", served.tokenizer());
        ConfigFile.putIfThere(keys, "api-key-variable", served.apiKeyVariable());
        keys.put("extra-body", served.extraBody());
        return keys;
    }
}
