package io.millrace.jobs.code;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.millrace.jobs.JobException;
import io.millrace.jobs.code.PassAtK.Count;
import io.millrace.udf.shard.OutputDir;
import io.millrace.udf.shard.WholeFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.jspecify.annotations.Nullable;

/// What is told of a graded suite: the files that HumanEval's and EvalPlus's own tools write, and a summary.
final class CodeReport {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final ObjectMapper INDENTED = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private final List<Graded> graded;
    private final Map<String, Count> tasks = new LinkedHashMap<>();

    /// @param graded all samples, those of a task one after the other
    CodeReport(List<Graded> graded) {
        this.graded = graded;
        graded.forEach(sample -> tasks.merge(
                sample.taskId(),
                new Count(1, sample.passed() ? 1 : 0),
                (a, b) -> new Count(a.samples() + b.samples(), a.passed() + b.passed())));
    }

    int tasks() {
        return tasks.size();
    }

    int samples() {
        return graded.size();
    }

    /// `pass@1` and so on, in rising order.
    Map<String, Double> passAtK() {
        Map<String, Double> named = new LinkedHashMap<>();
        PassAtK.mean(tasks.values()).forEach((k, value) -> named.put("pass@" + k, value));
        return named;
    }

    /// How many samples came to each kind of end: `passed`, `timed out`, or the first words after `failed: `.
    Map<String, Integer> results() {
        Map<String, Integer> counts = new TreeMap<>();
        graded.forEach(sample -> counts.merge(kind(sample.result()), 1, Integer::sum));
        return counts;
    }

    /// Details would make each failure a kind of its own.
    private static String kind(String result) {
        int detail = result.indexOf(": ", "failed: ".length());
        return detail < 0 ? result : result.substring(0, detail);
    }

    /// Writes everything.
    ///
    /// @param facts of the run, for the summary
    void write(OutputDir output, Map<String, Object> facts, Configuration conf) {
        Map<String, Object> summary = new LinkedHashMap<>(facts);
        summary.put("tasks", tasks());
        summary.put("samples", samples());
        summary.put("pass_at_k", passAtK());
        summary.put("results", results());
        try {
            WholeFiles files = WholeFiles.on(output.aside(), conf);
            files.fileSystem().mkdirs(output.staging());
            write(files, output, "samples.jsonl", lines(false));
            write(files, output, "samples.jsonl_results.jsonl", lines(true));
            write(files, output, "eval_results.json", JSON.writeValueAsString(evalPlus()));
            write(files, output, "summary.json", INDENTED.writeValueAsString(summary) + "\n");
        } catch (IOException e) {
            throw new JobException("output " + output.dir() + ": expected to be writable, got " + e.getMessage(), e);
        }
    }

    private static void write(WholeFiles files, OutputDir output, String name, String text) throws IOException {
        files.write(output.staging(), new Path(output.dir(), name), out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
    }

    /// HumanEval's samples, a line each; with what became of them.
    private String lines(boolean results) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (Graded sample : graded) {
            Map<String, @Nullable Object> line = new LinkedHashMap<>();
            line.put("task_id", sample.taskId());
            line.put("completion", sample.completion() == null ? "" : sample.completion());
            line.put("solution", sample.solution() == null ? "" : sample.solution());
            if (results) {
                line.put("result", sample.result());
                line.put("passed", sample.passed());
            }
            lines.append(JSON.writeValueAsString(line)).append('\n');
        }
        return lines.toString();
    }

    /// EvalPlus's file of results. Its tests beyond those of the suite's authors were not run.
    private Map<String, Object> evalPlus() {
        Map<String, List<Object>> eval = new LinkedHashMap<>();
        for (Graded sample : graded) {
            Map<String, @Nullable Object> entry = new LinkedHashMap<>();
            entry.put("task_id", sample.taskId());
            entry.put("solution", sample.solution() == null ? "" : sample.solution());
            entry.put("base_status", status(sample));
            entry.put("plus_status", null);
            entry.put("base_fail_tests", List.of());
            entry.put("plus_fail_tests", List.of());
            eval.computeIfAbsent(sample.taskId(), _ -> new ArrayList<>()).add(entry);
        }
        return Map.of("date", Instant.now().toString(), "eval", eval, "pass_at_k", Map.of("base", passAtK()));
    }

    private static String status(Graded sample) {
        if (sample.passed()) {
            return "pass";
        }
        return sample.result().equals("timed out") ? "timeout" : "fail";
    }
}
