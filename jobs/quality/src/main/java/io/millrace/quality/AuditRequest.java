package io.millrace.quality;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.schemas.AuditExchange.Request;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// What to judge and where to put the verdict.
///
/// @param output Parquet files or directories, at least one; any URI that Hadoop reads
/// @param rules the rules file; null for the starter rules
/// @param expectedRows rows that the output must have; empty when nobody counted
/// @param expectedRowsByFile rows that the output must have, by `input_ref.file`; empty when nobody counted
/// @param input Parquet files or directories of the input, to be counted for comparison; empty for none
/// @param samples output rows per input row
/// @param verdict where to write the verdict
/// @param metrics where to write the metrics; null for nowhere
/// @param history where the metrics of runs are kept, this one's too; null for nowhere
/// @param quarantine where to write rows set aside; must not exist; null for nowhere
/// @param tags what the run was
record AuditRequest(
        List<String> output,
        @Nullable Path rules,
        OptionalLong expectedRows,
        Map<String, Long> expectedRowsByFile,
        List<String> input,
        int samples,
        Path verdict,
        @Nullable Path metrics,
        @Nullable History history,
        @Nullable String quarantine,
        Map<String, String> tags) {

    /// A Deequ repository of metrics.
    ///
    /// @param file any path that Hadoop writes
    /// @param startedAtMillis when the run began, since the epoch; empty for now
    record History(String file, OptionalLong startedAtMillis) {}

    private static final Set<String> KEYS = Set.of(
            Request.OUTPUT,
            Request.RULES,
            Request.EXPECTED_ROWS,
            Request.EXPECTED_ROWS_BY_FILE,
            Request.INPUT,
            Request.SAMPLES,
            Request.VERDICT,
            Request.METRICS,
            Request.METRICS_REPOSITORY,
            Request.STARTED_AT_MS,
            Request.QUARANTINE,
            Request.TAGS);

    AuditRequest {
        output = List.copyOf(output);
        input = List.copyOf(input);
        expectedRowsByFile = Map.copyOf(expectedRowsByFile);
        tags = Map.copyOf(tags);
        if (output.isEmpty()) {
            throw new IllegalArgumentException("output: expected at least one path");
        }
    }

    /// @param what the text is, for messages
    /// @param verdict where the verdict goes unless the request says otherwise
    /// @param metrics where the metrics go unless the request says otherwise
    /// @throws AuditException when the text is no request; the message lists all problems
    static AuditRequest parse(String what, String json, Path verdict, Path metrics) {
        JsonNode root;
        try {
            root = new ObjectMapper().readTree(json);
        } catch (JsonProcessingException e) {
            throw new AuditException(what + ": no JSON: " + e.getOriginalMessage(), e);
        }
        if (!root.isObject()) {
            throw new AuditException(what + ": expected a JSON object, got " + root.getNodeType());
        }
        return new Reader(what, root).request(verdict, metrics);
    }

    /// Where an unusable request wants its verdict, as far as that can be told.
    static Path verdictOf(String json, Path otherwise) {
        try {
            JsonNode node = new ObjectMapper().readTree(json).path(Request.VERDICT);
            return node.isTextual() ? Path.of(node.textValue()) : otherwise;
        } catch (JsonProcessingException e) {
            return otherwise;
        }
    }

    private static final class Reader {

        private final String what;
        private final JsonNode root;
        private final List<String> problems = new ArrayList<>();

        Reader(String what, JsonNode root) {
            this.what = what;
            this.root = root;
        }

        AuditRequest request(Path verdict, Path metrics) {
            unknownKeys();
            List<String> output = paths(Request.OUTPUT);
            if (output.isEmpty()) {
                problems.add(Request.OUTPUT + ": expected an array of at least one path, got "
                        + shown(root.path(Request.OUTPUT)));
            }
            List<String> input = paths(Request.INPUT);
            OptionalLong rows = rows();
            OptionalLong startedAt = startedAt();
            String rules = text(Request.RULES);
            String verdictText = text(Request.VERDICT);
            String metricsText = text(Request.METRICS);
            String repository = text(Request.METRICS_REPOSITORY);
            String quarantine = text(Request.QUARANTINE);
            Map<String, Long> byFile = rowsByFile();
            int samples = samples();
            Map<String, String> tags = tags();
            if (!problems.isEmpty()) {
                throw new AuditException(
                        what + ": " + problems.size() + " problem(s)\n  " + String.join("\n  ", problems));
            }
            return new AuditRequest(
                    output,
                    rules == null ? null : Path.of(rules),
                    rows,
                    byFile,
                    input,
                    samples,
                    verdictText == null ? verdict : Path.of(verdictText),
                    metricsText == null ? metrics : Path.of(metricsText),
                    repository == null ? null : new History(repository, startedAt),
                    quarantine,
                    tags);
        }

        private void unknownKeys() {
            root.fieldNames().forEachRemaining(key -> {
                if (!KEYS.contains(key)) {
                    problems.add(key + ": unknown key, expected one of " + new TreeSet<>(KEYS));
                }
            });
        }

        private List<String> paths(String key) {
            List<String> paths = new ArrayList<>();
            for (JsonNode item : root.path(key)) {
                if (item.isTextual() && !item.textValue().isBlank()) {
                    paths.add(item.textValue());
                } else {
                    problems.add(key + ": expected paths, got " + item);
                }
            }
            return paths;
        }

        private int samples() {
            JsonNode node = root.path(Request.SAMPLES);
            if (node.isMissingNode()) {
                return 1;
            }
            if (node.isInt() && node.intValue() > 0) {
                return node.intValue();
            }
            problems.add(Request.SAMPLES + ": expected an integer from 1, got " + node);
            return 1;
        }

        private OptionalLong rows() {
            JsonNode node = root.path(Request.EXPECTED_ROWS);
            if (isCount(node)) {
                return OptionalLong.of(node.longValue());
            }
            problems.add(Request.EXPECTED_ROWS + ": expected an integer from 0, got " + shown(node));
            return OptionalLong.empty();
        }

        private OptionalLong startedAt() {
            JsonNode node = root.path(Request.STARTED_AT_MS);
            if (node.isMissingNode()) {
                return OptionalLong.empty();
            }
            if (isCount(node)) {
                return OptionalLong.of(node.longValue());
            }
            problems.add(Request.STARTED_AT_MS + ": expected milliseconds since the epoch, got " + node);
            return OptionalLong.empty();
        }

        private Map<String, Long> rowsByFile() {
            Map<String, Long> counts = new LinkedHashMap<>();
            for (Map.Entry<String, JsonNode> entry :
                    object(Request.EXPECTED_ROWS_BY_FILE).entrySet()) {
                if (isCount(entry.getValue())) {
                    counts.put(entry.getKey(), entry.getValue().longValue());
                } else {
                    problems.add(Request.EXPECTED_ROWS_BY_FILE + "." + entry.getKey()
                            + ": expected an integer from 0, got " + entry.getValue());
                }
            }
            return counts;
        }

        private Map<String, String> tags() {
            Map<String, String> tags = new LinkedHashMap<>();
            for (Map.Entry<String, JsonNode> entry : object(Request.TAGS).entrySet()) {
                if (entry.getValue().isTextual()) {
                    tags.put(entry.getKey(), entry.getValue().textValue());
                } else {
                    problems.add(Request.TAGS + "." + entry.getKey() + ": expected a text, got " + entry.getValue());
                }
            }
            return tags;
        }

        private Map<String, JsonNode> object(String key) {
            JsonNode node = root.path(key);
            Map<String, JsonNode> entries = new LinkedHashMap<>();
            if (node.isObject()) {
                node.fields().forEachRemaining(entry -> entries.put(entry.getKey(), entry.getValue()));
            } else if (!node.isMissingNode() && !node.isNull()) {
                problems.add(key + ": expected an object, got " + node);
            }
            return entries;
        }

        private @Nullable String text(String key) {
            JsonNode node = root.path(key);
            if (node.isMissingNode() || node.isNull()) {
                return null;
            }
            if (node.isTextual() && !node.textValue().isBlank()) {
                return node.textValue();
            }
            problems.add(key + ": expected a text, got " + node);
            return null;
        }

        private static boolean isCount(JsonNode node) {
            return node.isIntegralNumber() && node.canConvertToLong() && node.longValue() >= 0;
        }

        private static String shown(JsonNode node) {
            return node.isMissingNode() ? "nothing" : node.toString();
        }
    }
}
