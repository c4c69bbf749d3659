package io.millrace.quality;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.schemas.AuditExchange;
import io.millrace.schemas.AuditExchange.Verdict.Example;
import io.millrace.schemas.Columns.Completion.InputRef;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Map;
import java.util.SortedMap;

/// The verdict as JSON, and files that appear whole or not at all.
final class VerdictFile {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final ObjectWriter PRETTY = JSON.writerWithDefaultPrettyPrinter();

    private VerdictFile() {}

    static void write(Path file, Verdict verdict, Duration duration, Map<String, String> versions) {
        writeWhole(file, text(json(verdict, duration, versions)));
    }

    /// Writes beside the file and renames, so that a reader never sees a part. Missing folders are made.
    static void writeWhole(Path file, String text) {
        try {
            Path target = file.toAbsolutePath();
            Path folder = target.getParent();
            if (folder != null) {
                Files.createDirectories(folder);
            }
            Path part = target.resolveSibling("." + target.getFileName() + ".part");
            Files.writeString(part, text);
            Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }

    static String text(ObjectNode node) {
        try {
            return PRETTY.writeValueAsString(node) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of plain nodes did not become text", e);
        }
    }

    private static ObjectNode json(Verdict verdict, Duration duration, Map<String, String> versions) {
        ObjectNode root = JSON.createObjectNode();
        root.put(AuditExchange.Verdict.VERDICT, verdict.outcome().word());
        root.put(AuditExchange.Verdict.LEVEL, verdict.level().word());
        root.put(AuditExchange.Verdict.MESSAGE, verdict.message());
        root.put(AuditExchange.Verdict.ROWS, verdict.rows());
        root.put(AuditExchange.Verdict.QUARANTINED_ROWS, verdict.quarantinedRows());
        root.put(AuditExchange.Verdict.DURATION_MS, duration.toMillis());
        texts(root.putObject(AuditExchange.Verdict.VERSIONS), versions);
        texts(root.putObject(AuditExchange.Verdict.TAGS), verdict.tags());
        ArrayNode rules = root.putArray(AuditExchange.Verdict.RULES);
        for (Verdict.RuleResult result : verdict.rules()) {
            rule(rules.addObject(), result);
        }
        return root;
    }

    private static void rule(ObjectNode node, Verdict.RuleResult result) {
        node.put(AuditExchange.Verdict.Rule.NAME, result.name());
        node.put(AuditExchange.Verdict.Rule.LEVEL, result.level().word());
        node.put(AuditExchange.Verdict.Rule.DESCRIPTION, result.rule().description());
        node.put(AuditExchange.Verdict.Rule.STATUS, result.status().word());
        node.put(AuditExchange.Verdict.Rule.EXPECTED, result.expected());
        node.put(AuditExchange.Verdict.Rule.ACTUAL, result.actual());
        node.put(AuditExchange.Verdict.Rule.MESSAGE, result.message());
        node.put(AuditExchange.Verdict.Rule.FAILING_ROWS, result.failingRows());
        ArrayNode retries = node.putArray(AuditExchange.Verdict.Rule.RETRY);
        for (SortedMap<String, Double> parameters : result.rule().retry()) {
            parameters.forEach(retries.addObject()::put);
        }
        ArrayNode examples = node.putArray(AuditExchange.Verdict.Rule.EXAMPLES);
        for (Verdict.FailingRow row : result.examples()) {
            example(examples.addObject(), row);
        }
    }

    private static void example(ObjectNode node, Verdict.FailingRow row) {
        node.put(Example.REQUEST_ID, row.requestId());
        ObjectNode ref = node.putObject(Example.INPUT_REF);
        ref.put(InputRef.FILE, row.file());
        ref.put(InputRef.ROW_GROUP, row.rowGroup());
        ref.put(InputRef.ROW, row.row());
        node.put(Example.SAMPLE_IDX, row.sampleIdx());
        node.put(Example.STATUS, row.status());
        node.put(Example.EXCERPT, row.excerpt());
    }

    static void texts(ObjectNode node, Map<String, String> entries) {
        entries.keySet().stream().sorted().forEach(key -> node.put(key, entries.get(key)));
    }
}
