package io.millrace.jobs.swebench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.jobs.JobException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.SparkSession;

/// Instances by their ids: what a score is a share of.
record Dataset(SortedMap<String, Instance> instances) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /// Reads official files: `.json` (an array), `.jsonl` or `.parquet`.
    ///
    /// @param files of any file system Hadoop knows; an instance may be in several of them, if it is
    ///     the same
    /// @param ids the instances that make the dataset; empty for all
    /// @throws JobException if a file cannot be read, or an id is in none
    static Dataset read(SparkSession session, List<String> files, List<String> ids) {
        Map<String, Instance> found = new LinkedHashMap<>();
        for (String file : files) {
            int row = 0;
            for (JsonNode node : rows(session, file)) {
                Instance instance = Instance.of(node, file + ", row " + row++);
                if (ids.isEmpty() || ids.contains(instance.id())) {
                    add(found, instance, file);
                }
            }
        }
        List<String> missing = ids.stream().filter(id -> !found.containsKey(id)).toList();
        if (!missing.isEmpty()) {
            throw new JobException("instances: expected " + missing + " in " + files + ", got none of that id");
        }
        return new Dataset(new TreeMap<>(found));
    }

    private static void add(Map<String, Instance> found, Instance instance, String file) {
        Instance other = found.putIfAbsent(instance.id(), instance);
        // Verified and Lite share instances, with scripts that differ in nothing that decides
        if (other != null && !agree(instance, other)) {
            throw new JobException(file + ": expected " + instance.id() + " once, got another of that id");
        }
    }

    private static boolean agree(Instance one, Instance other) {
        return one.baseCommit().equals(other.baseCommit())
                && one.testPatch().equals(other.testPatch())
                && one.failToPass().equals(other.failToPass())
                && one.passToPass().equals(other.passToPass());
    }

    private static Iterable<JsonNode> rows(SparkSession session, String file) {
        try {
            if (file.endsWith(".parquet")) {
                return session.read().parquet(file).toJSON().collectAsList().stream()
                        .map(Dataset::json)
                        .toList();
            }
            String text = text(new Path(file), session.sparkContext().hadoopConfiguration());
            if (file.endsWith(".jsonl")) {
                return text.lines()
                        .filter(line -> !line.isBlank())
                        .map(Dataset::json)
                        .toList();
            }
            if (file.endsWith(".json")) {
                return json(text);
            }
        } catch (IOException | IllegalArgumentException e) {
            throw new JobException("instances " + file + ": expected to be readable, got " + e.getMessage(), e);
        }
        throw new JobException("instances " + file + ": expected .json, .jsonl or .parquet");
    }

    static String text(Path file, Configuration conf) throws IOException {
        try (InputStream in = file.getFileSystem(conf).open(file)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("no JSON: " + e.getOriginalMessage(), e);
        }
    }
}
