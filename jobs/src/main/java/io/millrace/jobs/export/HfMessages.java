package io.millrace.jobs.export;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.udf.shard.AnsweredRows.Answered;
import org.apache.spark.sql.Row;

/// Conversations as the Hub's tools train on them, `data/train.jsonl`: `messages`, the answer last, and
/// what of the row is none of the conversation in `metadata`. Rows without an answer are none.
final class HfMessages implements Projection {
    private final Prompts prompts;

    HfMessages(Prompts prompts) {
        this.prompts = prompts;
    }

    @Override
    public boolean needsInput() {
        return true;
    }

    @Override
    public void write(Answered answered, Lines lines) {
        Row input = answered.input();
        for (Completion sample : Completion.of(answered.completions())) {
            ArrayNode messages = input == null || !sample.isOk() || sample.isScored() ? null : prompts.messages(input);
            if (messages == null) {
                continue;
            }
            messages.add(sample.message());
            ObjectNode line = JsonNodeFactory.instance.objectNode();
            line.set("messages", messages);
            line.putObject("metadata")
                    .put("request_id", sample.requestId())
                    .put("sample_idx", sample.sample())
                    .put("finish_reason", sample.finishReason())
                    .put("model", sample.model());
            lines.add("data/train.jsonl", line);
        }
    }
}
