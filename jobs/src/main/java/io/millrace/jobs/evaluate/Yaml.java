package io.millrace.jobs.evaluate;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.constructor.AbstractConstruct;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.Tag;

/// Reads YAML 1.1 as the harness's own reader does, into values of Python's.
final class Yaml {

    private Yaml() {}

    /// @param name what a task names, such as `utils.process_docs`
    record PythonFunction(String name) {}

    /// A file's mapping.
    ///
    /// @throws TaskException if it is unreadable or no mapping
    static Map<String, @Nullable Object> read(Path file) {
        try {
            Object root = new org.yaml.snakeyaml.Yaml(new Constructor()).load(Files.readString(file));
            if (root instanceof Map<?, ?> map) {
                return mapping(map);
            }
            throw new TaskException(file + ": expected a mapping of keys, got " + kind(root));
        } catch (IOException | YAMLException e) {
            throw new TaskException(file + ": expected readable YAML, got " + e.getMessage(), e);
        }
    }

    private static String kind(@Nullable Object root) {
        return root == null ? "nothing" : root.getClass().getSimpleName();
    }

    static Map<String, @Nullable Object> mapping(Map<?, ?> map) {
        Map<String, @Nullable Object> values = new LinkedHashMap<>();
        map.forEach((key, value) -> values.put(String.valueOf(key), plain(value)));
        return values;
    }

    private static @Nullable Object plain(@Nullable Object value) {
        return switch (value) {
            case Map<?, ?> map -> mapping(map);
            case List<?> list -> {
                List<@Nullable Object> items = new ArrayList<>();
                list.forEach(item -> items.add(plain(item)));
                yield items;
            }
            case Integer whole -> (long) whole;
            case null -> null;
            case Long _, Double _, Boolean _, String _, PythonFunction _ -> value;
            default -> value.toString();
        };
    }

    private static final class Constructor extends SafeConstructor {
        Constructor() {
            super(new LoaderOptions());
            yamlConstructors.put(new Tag("!function"), new AbstractConstruct() {
                @Override
                public Object construct(Node node) {
                    return new PythonFunction(((ScalarNode) node).getValue());
                }
            });
        }
    }
}
