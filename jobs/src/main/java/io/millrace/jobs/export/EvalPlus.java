package io.millrace.jobs.export;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.millrace.udf.shard.AnsweredRows.Answered;

/// Samples of EvalPlus, `samples.jsonl`: the id column holds the tasks. A row without an answer is an
/// empty solution, since the tool refuses to count where a task is missing.
final class EvalPlus implements Projection {
    private final boolean wholeAnswer;

    /// @param wholeAnswer whether an answer is a whole program (`solution`), not what follows the prompt
    ///     (`completion`)
    EvalPlus(boolean wholeAnswer) {
        this.wholeAnswer = wholeAnswer;
    }

    @Override
    public boolean needsInput() {
        return false;
    }

    @Override
    public void write(Answered answered, Lines lines) {
        for (Completion sample : Completion.of(answered.completions())) {
            if (sample.isOk() || (sample.isError() && !sample.isUnnamed())) {
                lines.add(
                        "samples.jsonl",
                        JsonNodeFactory.instance
                                .objectNode()
                                .put("task_id", sample.key())
                                .put(wholeAnswer ? "solution" : "completion", sample.text()));
            }
        }
    }
}
