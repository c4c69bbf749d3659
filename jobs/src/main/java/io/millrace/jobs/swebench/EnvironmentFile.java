package io.millrace.jobs.swebench;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.millrace.jobs.ConfigException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Reads {@link TestEnvironment}s: YAML, one a file, all its keys optional but `repositories` and `test`.
final class EnvironmentFile {
    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());
    /// Those that come along.
    private static final List<String> BUNDLED = List.of("gson.yaml", "sympy.yaml");

    private static final List<String> KEYS = List.of(
            "repositories",
            "versions",
            "settings",
            "tools",
            "variables",
            "prime",
            "build",
            "test",
            "reports",
            "log-parser");

    private final String name;
    private final JsonNode root;
    private final List<String> problems = new ArrayList<>();

    private EnvironmentFile(String name, JsonNode root) {
        this.name = name;
        this.root = root;
    }

    /// The given ones, before those that come along.
    ///
    /// @throws ConfigException with everything that is wrong
    static List<TestEnvironment> all(List<Path> given) {
        List<TestEnvironment> environments = new ArrayList<>();
        for (Path file : given) {
            try (InputStream in = Files.newInputStream(file)) {
                environments.add(read(file.toString(), in));
            } catch (IOException e) {
                throw new ConfigException(List.of(file + ": expected readable YAML, got " + e.getMessage()));
            }
        }
        for (String bundled : BUNDLED) {
            try (InputStream in = EnvironmentFile.class.getResourceAsStream("environments/" + bundled)) {
                if (in == null) {
                    throw new IllegalStateException("environments/" + bundled + " is not in the jar");
                }
                environments.add(read(bundled, in));
            } catch (IOException e) {
                throw new IllegalStateException(bundled + " is in the jar", e);
            }
        }
        return environments;
    }

    private static TestEnvironment read(String name, InputStream in) throws IOException {
        JsonNode root = YAML.reader().with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).readTree(in);
        EnvironmentFile file = new EnvironmentFile(name, root);
        TestEnvironment environment = file.environment();
        if (!file.problems.isEmpty()) {
            throw new ConfigException(file.problems);
        }
        return environment;
    }

    private TestEnvironment environment() {
        if (!root.isObject()) {
            problems.add(name + ": expected a mapping of keys, got " + root.getNodeType());
        }
        root.fieldNames().forEachRemaining(key -> {
            if (!KEYS.contains(key)) {
                problems.add(name + ": " + key + ": no such key; known are " + KEYS);
            }
        });
        TestEnvironment environment = new TestEnvironment(
                name,
                texts("repositories"),
                texts("versions"),
                mapping("settings"),
                texts("tools"),
                mapping("variables"),
                texts("prime"),
                texts("build"),
                texts("test"),
                texts("reports"),
                logParser());
        if (environment.repositories().isEmpty()) {
            problems.add(name + ": repositories: expected owner/name, got none");
        }
        if (environment.test().isEmpty()) {
            problems.add(name + ": test: expected a command, got none");
        }
        return environment;
    }

    private @Nullable String logParser() {
        String parser = root.path("log-parser").asText(null);
        if (parser != null && LogParser.named(parser) == null) {
            problems.add(name + ": log-parser: expected a name of the datasets or " + LogParser.JUNIT_XML + ", got "
                    + parser);
        }
        return parser;
    }

    /// A text is a list of one.
    private List<String> texts(String key) {
        JsonNode node = root.path(key);
        List<String> texts = new ArrayList<>();
        if (node.isArray()) {
            node.forEach(item -> texts.add(item.asText()));
        } else if (node.isValueNode() && !node.isNull()) {
            texts.add(node.asText());
        } else if (node.isObject()) {
            problems.add(name + ": " + key + ": expected a text or a list of texts, got a mapping");
        }
        return List.copyOf(texts);
    }

    private Map<String, String> mapping(String key) {
        JsonNode node = root.path(key);
        Map<String, String> mapping = new LinkedHashMap<>();
        if (node.isObject()) {
            node.properties().forEach(entry -> mapping.put(entry.getKey(), entry.getValue().asText()));
        } else if (!node.isMissingNode() && !node.isNull()) {
            problems.add(name + ": " + key + ": expected a mapping, got " + node.getNodeType());
        }
        // a hash map's order is nobody's business: variables may build on those before
        return mapping;
    }
}
