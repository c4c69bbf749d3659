package io.millrace.jobs.code;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.jobs.JobException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Samples that were made elsewhere: lines of `task_id` with `solution` (a whole program, EvalPlus) or
/// `completion` (what follows the prompt, HumanEval).
final class Solutions {

    private Solutions() {}

    /// @return each sample, by task in the order of the tasks
    /// @throws JobException if a line is none of these, or a task is missing
    static List<Attempt> attempts(List<CodeTask> tasks, List<JsonNode> lines, String file) {
        Map<String, List<Attempt>> byTask = new LinkedHashMap<>();
        Map<String, CodeTask> byId = new HashMap<>();
        for (CodeTask task : tasks) {
            byTask.put(task.taskId(), new ArrayList<>());
            byId.put(task.taskId(), task);
        }
        for (JsonNode line : lines) {
            String id = line.path("task_id").asText();
            CodeTask task = byId.get(id);
            List<Attempt> samples = byTask.get(id);
            if (task == null || samples == null) {
                throw new JobException(file + ": expected a task of the suite, got " + id);
            }
            samples.add(attempt(task, samples.size(), line, file));
        }
        List<String> missing = byTask.entrySet().stream()
                .filter(task -> task.getValue().isEmpty())
                .map(Map.Entry::getKey)
                .toList();
        if (!missing.isEmpty()) {
            throw new JobException(file + ": expected samples of every task, got none of " + missing.size()
                    + ", such as " + missing.getFirst());
        }
        return byTask.values().stream().flatMap(List::stream).toList();
    }

    private static Attempt attempt(CodeTask task, int sampleIdx, JsonNode line, String file) {
        String completion = line.path("completion").textValue();
        String solution = line.path("solution").textValue();
        if (solution == null && completion == null) {
            throw new JobException(
                    file + ": expected a solution or a completion of " + task.taskId() + ", got neither");
        }
        return Attempt.of(task, sampleIdx, completion, solution == null ? task.preamble() + completion : solution);
    }
}
