package io.millrace.jobs;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.millrace.udf.Utf8;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/// One layer of configuration: keys in groups (`sampling.max-tokens`) with the words given for them; a
/// scalar is a list of one. Words are not yet understood: {@link JobConfig} does that once for all layers
/// together.
///
/// @param name where the words come from, for messages
public record Settings(String name, Map<String, List<String>> values) {
    private static final Pattern CAMEL_HUMP = Pattern.compile("([a-z0-9])([A-Z])");

    public Settings {
        values = Map.copyOf(values);
    }

    /// Reads a YAML file of nested groups; `sampling: {max-tokens: 64}` and `sampling.max-tokens: 64` are
    /// the same.
    ///
    /// @throws ConfigException if the file is unreadable or no YAML mapping
    public static Settings ofYaml(Path file) {
        try {
            byte[] bytes = Files.readAllBytes(file);
            String text = Utf8.text(bytes);
            if (text == null) {
                throw new ConfigException(List.of(file + ": " + Utf8.complaint(bytes)));
            }
            return ofYaml(file.toString(), text);
        } catch (IOException e) {
            throw new ConfigException(List.of(file + ": expected readable YAML, got " + e.getMessage()));
        }
    }

    /// The same of a file that has been read.
    ///
    /// @param file its name, for messages
    static Settings ofYaml(String file, String text) {
        try {
            JsonNode root = new ObjectMapper(new YAMLFactory()).readTree(text);
            if (root == null || root.isMissingNode() || root.isNull()) {
                return new Settings(file, Map.of());
            }
            if (!root.isObject()) {
                throw new ConfigException(List.of(file + ": expected a mapping of keys, got " + root.getNodeType()));
            }
            Map<String, List<String>> values = new LinkedHashMap<>();
            flatten("", root, values);
            return new Settings(file, values);
        } catch (JsonProcessingException e) {
            throw new ConfigException(List.of(file + ": expected readable YAML, got " + e.getMessage()));
        }
    }

    private static void flatten(String prefix, JsonNode node, Map<String, List<String>> into) {
        for (Map.Entry<String, JsonNode> field : node.properties()) {
            String key = prefix + field.getKey();
            JsonNode value = field.getValue();
            if (value.isObject()) {
                flatten(key + ".", value, into);
            } else if (value.isArray()) {
                List<String> items = new ArrayList<>();
                value.forEach(item -> items.add(item.asText()));
                into.put(key, items);
            } else if (!value.isNull()) {
                into.put(key, List.of(value.asText()));
            }
        }
    }

    /// The keys of a Spark configuration that are ours: `spark.millrace.sampling.maxTokens` is
    /// `sampling.max-tokens`.
    public static Settings ofSparkConf(Map<String, String> conf) {
        String prefix = "spark.millrace.";
        Map<String, List<String>> values = new LinkedHashMap<>();
        conf.forEach((key, value) -> {
            if (key.startsWith(prefix)) {
                values.put(kebab(key.substring(prefix.length())), List.of(value));
            }
        });
        if (conf.containsKey("spark.master")) {
            values.put("spark.master", List.of(conf.get("spark.master")));
        }
        return new Settings("Spark configuration", values);
    }

    private static String kebab(String camel) {
        return CAMEL_HUMP.matcher(camel).replaceAll("$1-$2").toLowerCase(Locale.ROOT);
    }
}
