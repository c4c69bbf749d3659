package io.millrace.quality;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.ReaderException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/// One YAML text and the problems found in it so far. A reader that meets a problem notes it here, returns
/// null or nothing, and goes on, so that a person sees all problems of a file together.
final class YamlSource {

    private final String name;
    private final List<String> problems = new ArrayList<>();
    private String prefix = "";

    YamlSource(String name) {
        this.name = name;
    }

    /// @throws AuditException when the text is no YAML
    @Nullable
    Node compose(String text) {
        try {
            LoadSettings settings = LoadSettings.builder().setLabel(name).build();
            return new Compose(settings).composeString(text).orElse(null);
        } catch (ReaderException e) {
            long line = text.codePoints()
                            .limit(e.getPosition())
                            .filter(c -> c == '\n')
                            .count()
                    + 1;
            throw new AuditException(
                    "rules " + name + ":" + line + ": no YAML: " + e.getMessage() + ", got U+"
                            + HexFormat.of().withUpperCase().toHexDigits(e.getCodePoint(), 6),
                    e);
        } catch (YamlEngineException e) {
            throw new AuditException("rules " + name + ": no YAML: " + e.getMessage(), e);
        }
    }

    void throwProblems() {
        if (!problems.isEmpty()) {
            throw new AuditException(
                    "rules " + name + ": " + problems.size() + " problem(s)\n  " + String.join("\n  ", problems));
        }
    }

    void problem(@Nullable Node node, String message) {
        problems.add(name + ":" + line(node) + ": " + prefix + message);
    }

    /// Runs a reader whose problems start with `words`.
    <T extends @Nullable Object> T within(String words, Supplier<T> reader) {
        String outer = prefix;
        prefix = outer + words;
        try {
            return reader.get();
        } finally {
            prefix = outer;
        }
    }

    /// Line of a node, from 1.
    int line(@Nullable Node node) {
        return node == null
                ? 1
                : node.getStartMark().map(mark -> mark.getLine() + 1).orElse(1);
    }

    /// Keys in the order of the text; empty, with a problem noted, when the node is no mapping.
    Map<String, Node> mapping(@Nullable Node node, String what, List<String> allowed) {
        Map<String, Node> keys = new LinkedHashMap<>();
        if (!(node instanceof MappingNode mapping)) {
            problem(node, what + ": expected the keys " + allowed + ", got " + show(node));
            return keys;
        }
        for (NodeTuple tuple : mapping.getValue()) {
            Node keyNode = tuple.getKeyNode();
            String key = keyNode instanceof ScalarNode scalar ? scalar.getValue() : show(keyNode);
            if (!allowed.contains(key)) {
                problem(keyNode, "unknown key " + key + ", expected one of " + allowed);
            } else if (keys.putIfAbsent(key, tuple.getValueNode()) != null) {
                problem(keyNode, key + ": given twice");
            }
        }
        return keys;
    }

    @Nullable
    String text(Node node, String key) {
        if (node instanceof ScalarNode scalar
                && !scalar.getTag().equals(Tag.NULL)
                && !scalar.getValue().isBlank()) {
            return scalar.getValue();
        }
        problem(node, key + ": expected a text, got " + show(node));
        return null;
    }

    /// One text or a list of texts; empty, with a problem noted, when it is neither.
    List<String> texts(Node node, String key) {
        List<Node> nodes = node instanceof SequenceNode sequence ? sequence.getValue() : List.of(node);
        if (nodes.isEmpty()) {
            problem(node, key + ": expected at least one");
        }
        List<String> texts = new ArrayList<>();
        for (Node item : nodes) {
            String text = text(item, key);
            if (text != null) {
                texts.add(text);
            }
        }
        return texts;
    }

    @Nullable
    Double number(Node node, String key, double from, double to) {
        String text = text(node, key);
        if (text == null) {
            return null;
        }
        try {
            double value = Double.parseDouble(text);
            if (value >= from && value <= to) {
                return value;
            }
        } catch (NumberFormatException e) {
            problem(node, key + ": expected a number" + range(from, to) + ", got \"" + text + "\"");
            return null;
        }
        problem(node, key + ": expected a number" + range(from, to) + ", got " + text);
        return null;
    }

    private static String range(double from, double to) {
        if (to == Double.MAX_VALUE) {
            return from == 0.0 ? " from 0" : "";
        }
        return " in [" + Bounds.number(from) + ", " + Bounds.number(to) + "]";
    }

    /// What a node is, briefly, for a message.
    String show(@Nullable Node node) {
        return switch (node) {
            case null -> "nothing";
            case ScalarNode scalar -> "\"" + scalar.getValue() + "\"";
            case SequenceNode sequence -> "a list of " + sequence.getValue().size();
            case MappingNode mapping -> "a mapping of " + mapping.getValue().size() + " keys";
            default -> "a " + node.getNodeType();
        };
    }
}
