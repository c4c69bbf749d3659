package io.millrace.jobs.code;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.jobs.JobException;
import io.millrace.udf.PromptFormat;
import io.millrace.udf.shard.OutputDir;
import io.millrace.udf.shard.WholeFiles;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;

/// What stands between a suite and the job that has its tasks completed: the requests that go in, and the samples that
/// come out.
final class CodeCompletions {
    static final String ID = "task_id";
    static final String TEXT = "prompt";

    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<CodeTask> tasks;
    private final OutputDir output;

    /// @param output directory of the evaluation
    CodeCompletions(List<CodeTask> tasks, OutputDir output) {
        this.tasks = tasks;
        this.output = output;
    }

    /// The file of requests.
    String requests() {
        return new Path(output.dir(), "requests.jsonl").toString();
    }

    /// The directory of completions.
    String completions() {
        return new Path(output.dir(), "completions").toString();
    }

    /// Writes the requests, a line for each task. A file that holds them already is left alone: what is known of rows
    /// depends on when their file was written.
    void writeRequests(PromptFormat format, Configuration conf) {
        byte[] lines = lines(format).getBytes(StandardCharsets.UTF_8);
        Path target = new Path(requests());
        try {
            WholeFiles files = WholeFiles.on(target, conf);
            if (!holds(files.fileSystem(), target, lines)) {
                files.fileSystem().mkdirs(output.staging());
                files.write(output.staging(), target, out -> out.write(lines));
            }
        } catch (IOException e) {
            throw new JobException("output " + target + ": expected to be writable, got " + e.getMessage(), e);
        }
    }

    private static boolean holds(FileSystem files, Path file, byte[] bytes) throws IOException {
        if (!files.exists(file)) {
            return false;
        }
        try (InputStream in = files.open(file)) {
            return Arrays.equals(in.readAllBytes(), bytes);
        }
    }

    private String lines(PromptFormat format) {
        StringBuilder lines = new StringBuilder();
        for (CodeTask task : tasks) {
            String text = format == PromptFormat.RAW ? task.prompt() : task.instruction();
            try {
                lines.append(JSON.writeValueAsString(Map.of(ID, task.taskId(), TEXT, text))).append('\n');
            } catch (JsonProcessingException e) {
                throw new IllegalStateException("texts have JSON", e);
            }
        }
        return lines.toString();
    }

    /// The samples, by task in the order of the suite. A row that failed is a sample without a program.
    List<Attempt> attempts(SparkSession session, PromptFormat format, List<String> stops) {
        Map<String, CodeTask> byId = new HashMap<>();
        tasks.forEach(task -> byId.put(task.taskId(), task));
        return session
                .read()
                .parquet(completions())
                .select(
                        functions.col("custom_id"),
                        functions.col("sample_idx"),
                        functions.col("output_text"),
                        functions.col("status"),
                        functions.col("error.code"),
                        functions.col("input_ref"))
                .orderBy("input_ref", "sample_idx")
                .collectAsList()
                .stream()
                .map(row -> attempt(row, byId, format, stops))
                .toList();
    }

    private static Attempt attempt(
            Row row, Map<String, CodeTask> tasks, PromptFormat format, List<String> stops) {
        String id = row.getString(0);
        CodeTask task = tasks.get(id);
        if (task == null) {
            throw new JobException("completions: expected a task of the suite, got " + id);
        }
        int sampleIdx = row.getInt(1);
        if (!row.getString(3).equals("ok")) {
            return Attempt.missing(task, sampleIdx, "no completion: " + row.getString(4));
        }
        String text = row.isNullAt(2) ? "" : row.getString(2);
        String kept = format == PromptFormat.RAW ? Extraction.continuation(task.language(), stops, text) : text;
        return Attempt.of(task, sampleIdx, kept, Extraction.solution(task, stops, format, text));
    }
}
