package io.millrace.jobs.code;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.jobs.JobException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.zip.GZIPInputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/// Reads JSONL files of benchmarks and of solutions, plain or `.gz`, of any file system Hadoop knows.
final class CodeTasks {
    private static final ObjectMapper JSON = new ObjectMapper();

    private CodeTasks() {}

    /// @param limit most tasks to take from the start; 0 for all
    /// @throws JobException if a file is not what the suite's files are
    static List<CodeTask> read(CodeSuite suite, List<String> paths, long limit, Configuration conf) {
        List<JsonNode> records = new ArrayList<>();
        paths.forEach(path -> records.addAll(records(path, conf)));
        try {
            List<CodeTask> tasks = suite.tasks(records);
            requireDistinct(tasks, paths);
            return limit == 0 ? tasks : tasks.stream().limit(limit).toList();
        } catch (IllegalArgumentException e) {
            throw new JobException("input " + paths + ": expected tasks of " + suite + ": " + e.getMessage(), e);
        }
    }

    private static void requireDistinct(List<CodeTask> tasks, List<String> paths) {
        Set<String> ids = new HashSet<>();
        for (CodeTask task : tasks) {
            if (!ids.add(task.taskId())) {
                throw new JobException("input " + paths + ": expected each task once, got " + task.taskId() + " twice");
            }
        }
        if (tasks.isEmpty()) {
            throw new JobException("input " + paths + ": expected tasks, got none");
        }
    }

    /// The objects of a file, one on each line that is not blank.
    static List<JsonNode> records(String file, Configuration conf) {
        Path path = new Path(file);
        List<JsonNode> records = new ArrayList<>();
        int number = 0;
        try (InputStream in = path.getFileSystem(conf).open(path);
                BufferedReader reader = new BufferedReader(new InputStreamReader(
                        file.endsWith(".gz") ? new GZIPInputStream(in) : in, StandardCharsets.UTF_8))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                number++;
                if (!line.isBlank()) {
                    records.add(JSON.readTree(line));
                }
            }
            return records;
        } catch (JsonProcessingException e) {
            throw new JobException(
                    file + ": expected a JSON object on line " + number + ", got " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new JobException(file + ": expected to be readable, got " + e.getMessage(), e);
        }
    }
}
