package io.millrace.quality;

import io.millrace.quality.Expectation.Drift.Figure;
import io.millrace.quality.Expectation.Drift.Strategy;
import io.millrace.quality.Expectation.Statistic.Measure;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/// Reads rules from YAML. Every problem of a file is reported at once, each with its line.
final class RulesFile {

    /// The resource used where a request names no rules.
    static final String STARTER = "rules/summarize.yaml";

    private static final Pattern NAME = Pattern.compile("[a-z0-9]+(-[a-z0-9]+)*");
    private static final Set<String> COMMON_KEYS = Set.of("name", "level", "description", "where", "retry");
    private static final List<String> KINDS = List.of(
            "complete",
            "unique",
            "distinct",
            "single-valued",
            "compliance",
            "contained-in",
            "pattern",
            "size",
            "rows-per-input-file",
            "min",
            "max",
            "mean",
            "sum",
            "quantile",
            "drift");
    /// Of a retry: parameter and what it may be. All of sampling that is a number and a row's own affair.
    private static final Map<String, Range> RETRY_PARAMETERS = new TreeMap<>(Map.of(
            "temperature", new Range(0, Double.MAX_VALUE, false),
            "top-p", new Range(0, 1, false),
            "top-k", new Range(0, Integer.MAX_VALUE, true),
            "min-p", new Range(0, 1, false),
            "max-tokens", new Range(1, Integer.MAX_VALUE, true),
            "beams", new Range(1, Integer.MAX_VALUE, true),
            "length-penalty", new Range(0, Double.MAX_VALUE, false)));

    private record Range(double from, double to, boolean whole) {}

    private static final Map<String, Figure> FIGURES =
            new TreeMap<>(Arrays.stream(Figure.values()).collect(Collectors.toMap(Figure::word, Function.identity())));
    /// Runs of which a standard deviation says something.
    private static final int NORMAL_RUNS = 5;
    private static final Set<String> WITHOUT_WHERE = Set.of("single-valued", "rows-per-input-file");

    private final YamlSource source;

    private RulesFile(YamlSource source) {
        this.source = source;
    }

    /// @throws AuditException when the file cannot be read or is not a rules file; the message lists all
    ///     problems
    static List<Rule> read(Path file) {
        try {
            return parse(file.toString(), text(file));
        } catch (IOException e) {
            throw new AuditException("rules " + file + ": cannot be read: " + e, e);
        }
    }

    private static String text(Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file));
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
        } catch (CharacterCodingException e) {
            throw new AuditException(
                    "rules " + file + ": expected UTF-8, got other bytes at byte " + bytes.position(), e);
        }
    }

    /// The rules that ship with the auditor.
    static List<Rule> starter() {
        try (InputStream in = RulesFile.class.getResourceAsStream("/" + STARTER)) {
            if (in == null) {
                throw new AuditException(STARTER + ": not on the class path");
            }
            return parse(STARTER, new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(STARTER, e);
        }
    }

    /// @param name of the source, for messages
    static List<Rule> parse(String name, String text) {
        YamlSource source = new YamlSource(name);
        List<Rule> rules = new RulesFile(source).document(source.compose(text));
        source.throwProblems();
        return rules;
    }

    private List<Rule> document(@Nullable Node root) {
        Map<String, Node> top = source.mapping(root, "the file", List.of("version", "rules"));
        Node version = top.get("version");
        if (version == null) {
            source.problem(root, "version: missing, expected 1");
        } else if (!"1".equals(source.text(version, "version"))) {
            source.problem(version, "version: expected 1, got " + source.show(version));
        }
        List<Rule> rules = new ArrayList<>();
        if (!(top.get("rules") instanceof SequenceNode list) || list.getValue().isEmpty()) {
            source.problem(top.getOrDefault("rules", root), "rules: expected a list of at least one rule");
            return rules;
        }
        Map<String, Integer> lines = new HashMap<>();
        for (Node node : list.getValue()) {
            Rule rule = rule(node);
            if (rule == null) {
                continue;
            }
            Integer before = lines.putIfAbsent(rule.name(), rule.line());
            if (before != null) {
                source.problem(node, "rule " + rule.name() + ": the name is taken by the rule in line " + before);
            }
            rules.add(rule);
        }
        return rules;
    }

    private @Nullable Rule rule(Node node) {
        if (!(node instanceof MappingNode)) {
            source.problem(node, "expected a rule (name, level, one of " + KINDS + "), got " + source.show(node));
            return null;
        }
        List<String> allowed = new ArrayList<>(COMMON_KEYS.stream().sorted().toList());
        allowed.addAll(KINDS);
        Map<String, Node> keys = source.mapping(node, "rule", allowed);
        String name = name(node, keys.get("name"));
        return source.within("rule " + name + ": ", () -> rule(node, name, keys));
    }

    private @Nullable Rule rule(Node node, String name, Map<String, Node> keys) {
        Level level = level(node, keys.get("level"));
        String where = optionalText(keys.get("where"), "where");
        String description = optionalText(keys.get("description"), "description");
        List<SortedMap<String, Double>> retry = retry(level, keys.get("retry"));
        List<String> kinds = KINDS.stream().filter(keys::containsKey).toList();
        if (kinds.size() != 1) {
            source.problem(node, "expected exactly one of " + KINDS + ", got " + kinds);
            return null;
        }
        String kind = kinds.getFirst();
        if (where != null && WITHOUT_WHERE.contains(kind)) {
            source.problem(keys.get("where"), "where: cannot narrow " + kind);
        }
        Node value = keys.get(kind);
        if (value == null) {
            return null;
        }
        Expectation expectation = source.within(kind + ": ", () -> expectation(kind, value));
        if (expectation == null || level == null) {
            return null;
        }
        return new Rule(
                name, level, description == null ? "" : description, expectation, where, retry, source.line(node));
    }

    /// One mapping for all retries of a row, or a list of them for the first, the second, and so on.
    private List<SortedMap<String, Double>> retry(@Nullable Level level, @Nullable Node node) {
        if (node == null) {
            return List.of();
        }
        if (level != null && level != Level.QUARANTINE) {
            source.problem(node, "retry: only rows of level quarantine are retried, this is " + level.word());
        }
        List<Node> given = node instanceof SequenceNode list ? list.getValue() : List.of(node);
        if (given.isEmpty()) {
            source.problem(node, "retry: expected at least one");
        }
        return source.within(
                "retry: ", () -> given.stream().map(this::parameters).toList());
    }

    private SortedMap<String, Double> parameters(Node node) {
        SortedMap<String, Double> parameters = new TreeMap<>();
        source.mapping(node, "retry", List.copyOf(RETRY_PARAMETERS.keySet())).forEach((name, value) -> {
            Range range = RETRY_PARAMETERS.getOrDefault(name, new Range(0, 0, false));
            Double number = source.number(value, name, range.from(), range.to());
            if (number != null && range.whole() && number != Math.rint(number)) {
                source.problem(value, name + ": expected a whole number, got " + Bounds.number(number));
            } else if (number != null) {
                parameters.put(name, number);
            }
        });
        return parameters;
    }

    private String name(Node rule, @Nullable Node node) {
        if (node == null) {
            source.problem(rule, "rule: name: missing");
            return "?";
        }
        String name = source.text(node, "name");
        if (name == null) {
            return "?";
        }
        if (!NAME.matcher(name).matches()) {
            source.problem(node, "name: expected lower-case words joined by hyphens, got \"" + name + "\"");
        }
        return name;
    }

    private @Nullable Level level(Node rule, @Nullable Node node) {
        if (node == null) {
            source.problem(rule, "level: missing");
            return null;
        }
        String word = source.text(node, "level");
        if (word == null) {
            return null;
        }
        try {
            return Level.of(word);
        } catch (IllegalArgumentException e) {
            source.problem(node, "level: " + e.getMessage());
            return null;
        }
    }

    private @Nullable Expectation expectation(String kind, Node value) {
        return switch (kind) {
            case "complete" -> complete(value);
            case "unique" -> {
                List<String> columns = source.texts(value, "columns");
                yield columns.isEmpty() ? null : new Expectation.Unique(columns);
            }
            case "single-valued" -> {
                List<String> columns = source.texts(value, "columns");
                yield columns.isEmpty() ? null : new Expectation.SingleValued(columns);
            }
            case "distinct" -> distinct(value);
            case "compliance" -> compliance(value);
            case "contained-in" -> containedIn(value);
            case "pattern" -> pattern(value);
            case "size" -> size(value);
            case "rows-per-input-file" -> rowsPerInputFile(value);
            case "drift" -> drift(value);
            default -> statistic(Measure.valueOf(kind.toUpperCase(Locale.ROOT)), value);
        };
    }

    private @Nullable Expectation complete(Node value) {
        if (!(value instanceof MappingNode)) {
            String column = source.text(value, "column");
            return column == null ? null : new Expectation.Complete(column, Bounds.atLeast(1.0));
        }
        Map<String, Node> keys = source.mapping(value, "complete", List.of("column", "at-least", "at-most"));
        String column = requiredText(value, keys, "column");
        Bounds share = share(keys);
        return column == null || share == null ? null : new Expectation.Complete(column, share);
    }

    private @Nullable Expectation distinct(Node value) {
        Map<String, Node> keys = source.mapping(value, "distinct", List.of("columns", "at-least", "at-most"));
        Node columnsNode = required(value, keys, "columns");
        List<String> columns = columnsNode == null ? List.of() : source.texts(columnsNode, "columns");
        Bounds share = share(keys);
        return columns.isEmpty() || share == null ? null : new Expectation.Distinct(columns, share);
    }

    private @Nullable Expectation compliance(Node value) {
        Map<String, Node> keys = source.mapping(value, "compliance", List.of("predicate", "at-least", "at-most"));
        String predicate = requiredText(value, keys, "predicate");
        Bounds share = share(keys);
        return predicate == null || share == null ? null : new Expectation.Compliance(predicate, share);
    }

    private @Nullable Expectation containedIn(Node value) {
        Map<String, Node> keys =
                source.mapping(value, "contained-in", List.of("column", "values", "at-least", "at-most"));
        String column = requiredText(value, keys, "column");
        Node valuesNode = required(value, keys, "values");
        List<String> values = valuesNode == null ? List.of() : source.texts(valuesNode, "values");
        Bounds share = share(keys);
        if (column == null || values.isEmpty() || share == null) {
            return null;
        }
        return new Expectation.ContainedIn(column, values, share);
    }

    private @Nullable Expectation pattern(Node value) {
        Map<String, Node> keys = source.mapping(value, "pattern", List.of("column", "regex", "at-least", "at-most"));
        String column = requiredText(value, keys, "column");
        String regex = requiredText(value, keys, "regex");
        Bounds share = share(keys);
        if (column == null || regex == null || share == null) {
            return null;
        }
        try {
            return new Expectation.Pattern(column, Pattern.compile(regex).pattern(), share);
        } catch (PatternSyntaxException e) {
            source.problem(keys.get("regex"), "regex: " + e.getDescription() + " at " + e.getIndex() + " in " + regex);
            return null;
        }
    }

    private @Nullable Expectation size(Node value) {
        Map<String, Node> keys = source.mapping(value, "size", List.of("equals", "at-least", "at-most"));
        Node equals = keys.get("equals");
        if (equals == null) {
            Bounds bounds = bounds(value, keys, 0.0, Double.MAX_VALUE);
            return bounds == null ? null : new Expectation.Size(bounds);
        }
        if (keys.size() > 1) {
            source.problem(equals, "equals: cannot stand beside at-least or at-most");
        }
        if ("input".equals(source.text(equals, "equals"))) {
            return new Expectation.Size(null);
        }
        Double rows = source.number(equals, "equals", 0.0, Double.MAX_VALUE);
        return rows == null ? null : new Expectation.Size(Bounds.exactly(rows));
    }

    private @Nullable Expectation rowsPerInputFile(Node value) {
        Map<String, Node> keys = source.mapping(value, "rows-per-input-file", List.of("equals"));
        String equals = requiredText(value, keys, "equals");
        if (equals == null) {
            return null;
        }
        if (!"input".equals(equals)) {
            source.problem(keys.get("equals"), "equals: expected input, got \"" + equals + "\"");
            return null;
        }
        return new Expectation.RowsPerInputFile();
    }

    private @Nullable Expectation statistic(Measure measure, Node value) {
        boolean quantile = measure == Measure.QUANTILE;
        List<String> allowed = quantile
                ? List.of("column", "q", "relative-error", "at-least", "at-most")
                : List.of("column", "at-least", "at-most");
        Map<String, Node> keys = source.mapping(value, measure.word(), allowed);
        String column = requiredText(value, keys, "column");
        Node rank = quantile ? required(value, keys, "q") : null;
        Double q = rank == null ? (quantile ? null : Double.valueOf(0.0)) : source.number(rank, "q", 0.0, 1.0);
        Node error = keys.get("relative-error");
        Double relativeError = error == null ? Double.valueOf(0.0) : source.number(error, "relative-error", 0.0, 1.0);
        Bounds bounds = bounds(value, keys, -Double.MAX_VALUE, Double.MAX_VALUE);
        if (column == null || q == null || relativeError == null || bounds == null) {
            return null;
        }
        return new Expectation.Statistic(measure, column, q, relativeError, bounds);
    }

    private @Nullable Expectation drift(Node value) {
        List<String> allowed = new ArrayList<>(FIGURES.keySet());
        allowed.addAll(List.of("strategy", "min-runs", "at-least", "at-most"));
        Map<String, Node> keys = source.mapping(value, "drift", allowed);
        List<String> figures =
                FIGURES.keySet().stream().filter(keys::containsKey).toList();
        if (figures.size() != 1) {
            source.problem(value, "expected exactly one of " + FIGURES.keySet() + ", got " + figures);
            return null;
        }
        Figure figure = FIGURES.get(figures.getFirst());
        String of = requiredText(value, keys, figures.getFirst());
        Strategy strategy = strategy(value, keys);
        Bounds bounds = bounds(value, keys, -Double.MAX_VALUE, Double.MAX_VALUE);
        if (figure == null || of == null || strategy == null || bounds == null) {
            return null;
        }
        if (strategy.countsDeviations() && !bounds.holds(0)) {
            source.problem(value, "expected bounds with 0 standard deviations between them, got " + bounds.words());
        }
        Node runs = keys.get("min-runs");
        Double minRuns = runs == null
                ? Double.valueOf(strategy.countsDeviations() ? NORMAL_RUNS : 1)
                : source.number(runs, "min-runs", 1, Integer.MAX_VALUE);
        return minRuns == null ? null : new Expectation.Drift(figure, of, strategy, bounds, minRuns.intValue());
    }

    private @Nullable Strategy strategy(Node owner, Map<String, Node> keys) {
        String word = requiredText(owner, keys, "strategy");
        if (word == null) {
            return null;
        }
        for (Strategy strategy : Strategy.values()) {
            if (strategy.word().equals(word)) {
                return strategy;
            }
        }
        List<String> words =
                Arrays.stream(Strategy.values()).map(Strategy::word).toList();
        source.problem(keys.get("strategy"), "strategy: expected one of " + words + ", got \"" + word + "\"");
        return null;
    }

    /// A share of rows; all of them where the rule says nothing.
    private @Nullable Bounds share(Map<String, Node> keys) {
        if (!keys.containsKey("at-least") && !keys.containsKey("at-most")) {
            return Bounds.atLeast(1.0);
        }
        return bounds(null, keys, 0.0, 1.0);
    }

    private @Nullable Bounds bounds(@Nullable Node owner, Map<String, Node> keys, double from, double to) {
        Node least = keys.get("at-least");
        Node most = keys.get("at-most");
        if (least == null && most == null) {
            source.problem(owner, "expected at-least, at-most or both");
            return null;
        }
        Double atLeast = least == null ? null : source.number(least, "at-least", from, to);
        Double atMost = most == null ? null : source.number(most, "at-most", from, to);
        if ((least != null && atLeast == null) || (most != null && atMost == null)) {
            return null;
        }
        if (atLeast != null && atMost != null && atLeast > atMost) {
            source.problem(least, "at-least " + Bounds.number(atLeast) + " is above at-most " + Bounds.number(atMost));
            return null;
        }
        return new Bounds(atLeast, atMost);
    }

    private @Nullable Node required(Node owner, Map<String, Node> keys, String key) {
        Node node = keys.get(key);
        // a value that is no mapping has been reported already, its keys need not be
        if (node == null && owner instanceof MappingNode) {
            source.problem(owner, key + ": missing");
        }
        return node;
    }

    private @Nullable String requiredText(Node owner, Map<String, Node> keys, String key) {
        Node node = required(owner, keys, key);
        return node == null ? null : source.text(node, key);
    }

    private @Nullable String optionalText(@Nullable Node node, String key) {
        return node == null ? null : source.text(node, key);
    }
}
