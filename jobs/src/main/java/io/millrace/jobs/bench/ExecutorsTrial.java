package io.millrace.jobs.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Whether a second executor doubles the work: a standalone master on the loopback address and one or two
/// workers, each kept on one processor of its own, given as many rows each.
final class ExecutorsTrial implements Trial {
    private static final double BAR = 1.9;
    private static final int TASKS_EACH = 16;

    private final Path model;
    private final int rowsEach;

    ExecutorsTrial(Path model, int rowsEach) {
        this.model = model;
        this.rowsEach = rowsEach;
    }

    @Override
    public ObjectNode run() throws IOException {
        double one = tokensPerSecond(1);
        double two = tokensPerSecond(2);
        ObjectNode figures = new ObjectMapper().createObjectNode();
        figures.put("rows_of_each_executor", rowsEach);
        figures.put("tokens", "of prompts and completions, per second");
        figures.put("one_executor", one).put("two_executors", two).put("ratio", two / one);
        Trial.bar(figures, two / one, BAR);
        return figures;
    }

    private double tokensPerSecond(int executors) throws IOException {
        try (LoopbackCluster cluster = LoopbackCluster.start(executors)) {
            List<String> arguments = new ArrayList<>(cluster.arguments());
            // tasks go to whoever is free
            arguments.addAll(List.of("-c", "plan.shard-rows=" + Math.max(1, rowsEach / TASKS_EACH)));
            return SummarizeRun.of(model, executors * rowsEach, arguments.toArray(String[]::new))
                    .tokensPerSecond();
        }
    }
}
