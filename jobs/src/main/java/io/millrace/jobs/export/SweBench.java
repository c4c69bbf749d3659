package io.millrace.jobs.export;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.millrace.udf.shard.AnsweredRows.Answered;

/// Predictions of SWE-bench's harness, `preds.jsonl`: the id column holds the instances, an answer is a
/// patch. Of several samples each has a file of its own (`preds.1.jsonl`, …), since the harness takes
/// an instance once. A row without an answer is an empty patch: no instance is left out, save
/// where a record could not be read and so names none.
final class SweBench implements Projection {

    @Override
    public boolean needsInput() {
        return false;
    }

    @Override
    public void write(Answered answered, Lines lines) {
        for (Completion sample : Completion.of(answered.completions())) {
            if (sample.isUnnamed()) {
                continue;
            }
            String text = sample.text();
            // git and patch want a last line that ends
            String patch = text.isBlank() ? "" : text.endsWith("\n") ? text : text + "\n";
            lines.add(
                    sample.sample() == 0 ? "preds.jsonl" : "preds." + sample.sample() + ".jsonl",
                    JsonNodeFactory.instance
                            .objectNode()
                            .put("instance_id", sample.key())
                            .put("model_name_or_path", sample.model())
                            .put("model_patch", patch));
        }
    }
}
