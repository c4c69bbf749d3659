package io.millrace.quality;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.schemas.TableSchema;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructType;

/// Canonical rows as they come out of a sound run: two input files, one of them with two row groups,
/// one row in four hundred an error. Tests break them one fault at a time.
final class SampleRows {

    private static final ObjectMapper JSON = new ObjectMapper();

    private SampleRows() {}

    static StructType schema() {
        return (StructType) DataType.fromJson(TableSchema.completion().json());
    }

    static List<ObjectNode> clean(int count) {
        List<ObjectNode> rows = new ArrayList<>();
        for (int index = 0; index < count; index++) {
            boolean error = index % 400 == 399;
            rows.add(error ? error(index, count) : ok(index, count));
        }
        return rows;
    }

    /// The plan that [#clean] answers.
    static Map<String, Long> byFile(int count) {
        Map<String, Long> counts = new HashMap<>();
        for (ObjectNode row : clean(count)) {
            counts.merge(row.path("input_ref").path("file").textValue(), 1L, Long::sum);
        }
        return counts;
    }

    private static ObjectNode ok(int index, int count) {
        ObjectNode row = common(index, count);
        String text =
                "Story " + index + " is about a fox who " + (index % 7) + " times lost the way home. In the end it"
                        + " learns to ask the owl number " + index * 31 + " for help.";
        row.put("status", "ok");
        row.put("completion_tokens", 40 + index % 11);
        row.put("output_text", text);
        row.put("finish_reason", index % 100 == 7 ? "length" : "stop");
        row.put("output_chars", text.length());
        row.put("source_chars", 900 + index % 50);
        row.put("length_ratio", text.length() / (900.0 + index % 50));
        row.put("repetition", index % 9 == 0 ? 0.05 : 0.0);
        row.put("template_leak", false);
        row.put("language", index % 5 == 0 ? null : "eng");
        row.put("source_language", "eng");
        row.put("json_valid", false);
        row.put("replacement_chars", 0.0);
        row.put("mean_logprob", -0.5 - index % 10 / 20.0);
        row.put("reference", "A fox learns to ask for help.");
        row.put("rouge1", 0.4);
        row.put("rouge2", 0.2);
        row.put("rougeL", 0.35);
        return row;
    }

    private static ObjectNode error(int index, int count) {
        ObjectNode row = common(index, count);
        row.put("status", "error");
        row.putObject("error")
                .put("class", "BAD_INPUT")
                .put("code", "PROMPT_TOO_LONG")
                .put("message", "prompt: expected at most 4096 tokens, got 5000")
                .put("retryable", false)
                .put("attempts", 1);
        row.put("completion_tokens", 0);
        row.put("finish_reason", "error");
        row.put("output_chars", 0);
        row.put("source_chars", 20000);
        return row;
    }

    private static ObjectNode common(int index, int count) {
        ObjectNode row = JSON.createObjectNode();
        boolean first = index < count / 2;
        row.put("request_id", String.format(Locale.ROOT, "%064x", index + 1));
        row.put("custom_id", "story-" + index);
        row.putObject("input_ref")
                .put("file", first ? "stories/a.parquet" : "stories/b.parquet")
                .put("row_group", first ? index % 2 : 0)
                .put("row", first ? index / 2 : index - count / 2);
        row.put("sample_idx", 0);
        row.put("prompt_format", "chat");
        row.put("prompt_sha256", String.format(Locale.ROOT, "%064x", index + 77));
        row.put("prompt_tokens", 300 + index % 17);
        row.put("cached_tokens", 16);
        row.put("reasoning_tokens", 0);
        row.put("seed", 42L + index);
        row.putObject("engine")
                .put("model", "stories-v4")
                .put("revision", "1")
                .put("weights_sha", "ab".repeat(32))
                .put("quantization", "fp32")
                .put("engine_version", "0.1.0")
                .put("kernel_ring", "vector")
                .put("device", "cpu");
        row.putObject("timing").put("queued_ms", 1.5).put("prefill_ms", 20.25).put("decode_ms", 300.0);
        row.put("run_id", "run-1");
        row.put("config_fingerprint", "cd".repeat(32));
        row.put("written_at", "2026-11-22T03:00:00Z");
        return row;
    }

    /// Writes the rows as the producer does: canonical schema, zstd, several files.
    static Path write(SparkSession spark, List<ObjectNode> rows, Path folder) {
        List<String> lines = rows.stream().map(ObjectNode::toString).toList();
        Dataset<String> json = spark.createDataset(lines, Encoders.STRING()).repartition(2);
        Dataset<Row> typed = spark.read().schema(schema()).json(json);
        typed.write().option("compression", "zstd").parquet(folder.toString());
        return folder;
    }
}
