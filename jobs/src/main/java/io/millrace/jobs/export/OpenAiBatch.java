package io.millrace.jobs.export;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.jobs.JobException;
import io.millrace.schemas.Columns;
import io.millrace.schemas.Columns.Completion.RowError;
import io.millrace.udf.shard.AnsweredRows.Answered;
import java.util.List;
import org.apache.spark.sql.Row;

/// OpenAI's batch format: `output.jsonl` has the requests that were answered, `error.jsonl` those that
/// were not. A request of several samples of which some failed stands in both, in the first with the
/// choices that there are.
final class OpenAiBatch implements Projection {
    static final String OUTPUT = "output.jsonl";
    static final String ERRORS = "error.jsonl";

    @Override
    public boolean needsInput() {
        return false;
    }

    @Override
    public void write(Answered answered, Lines lines) {
        List<Completion> samples = Completion.of(answered.completions());
        List<Completion> ok = samples.stream().filter(Completion::isOk).toList();
        if (!ok.isEmpty()) {
            lines.add(OUTPUT, line(ok.getFirst(), 200, body(ok)));
        }
        samples.stream()
                .filter(Completion::isError)
                .findFirst()
                .ifPresent(failed -> lines.add(ERRORS, line(failed, status(failed), error(failed))));
    }

    private static ObjectNode line(Completion row, int status, ObjectNode body) {
        ObjectNode line = JsonNodeFactory.instance.objectNode();
        line.put("id", "batch_req_" + row.shortId()).put("custom_id", row.keyOrId());
        line.putObject("response")
                .put("status_code", status)
                .put("request_id", row.requestId())
                .set("body", body);
        return line.putNull("error");
    }

    private static ObjectNode body(List<Completion> samples) {
        Completion first = samples.getFirst();
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.put("id", (first.isChat() ? "chatcmpl-" : "cmpl-") + first.shortId())
                .put("object", first.isChat() ? "chat.completion" : "text_completion")
                .put("created", first.writtenSeconds())
                .put("model", first.model());
        ArrayNode choices = body.putArray("choices");
        samples.forEach(sample -> choices.add(choice(sample)));
        body.set("usage", usage(samples));
        return body.put("system_fingerprint", first.fingerprint());
    }

    private static ObjectNode choice(Completion sample) {
        if (sample.isScored()) {
            throw new JobException("row " + sample.place()
                    + ": expected a completion, got scores, which have no place in this format");
        }
        ObjectNode choice = JsonNodeFactory.instance.objectNode().put("index", sample.sample());
        if (sample.isChat()) {
            choice.set("message", sample.message().putNull("refusal"));
        } else {
            choice.put("text", sample.text());
        }
        choice.set("logprobs", sample.logprobs());
        return choice.put("finish_reason", sample.finishReason());
    }

    /// Tokens of the prompt once, of every choice once.
    private static ObjectNode usage(List<Completion> samples) {
        int prompt = samples.getFirst().number(Columns.Completion.PROMPT_TOKENS);
        int completion = sum(samples, Columns.Completion.COMPLETION_TOKENS);
        ObjectNode usage = JsonNodeFactory.instance.objectNode();
        usage.put("prompt_tokens", prompt)
                .put("completion_tokens", completion)
                .put("total_tokens", prompt + completion);
        usage.putObject("prompt_tokens_details")
                .put("cached_tokens", samples.getFirst().number(Columns.Completion.CACHED_TOKENS));
        usage.putObject("completion_tokens_details")
                .put("reasoning_tokens", sum(samples, Columns.Completion.REASONING_TOKENS));
        return usage;
    }

    private static int sum(List<Completion> samples, String column) {
        return samples.stream().mapToInt(sample -> sample.number(column)).sum();
    }

    private static int status(Completion failed) {
        return failed.error().<String>getAs(RowError.CLASS).equals("BAD_INPUT") ? 400 : 500;
    }

    private static ObjectNode error(Completion failed) {
        Row error = failed.error();
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.putObject("error")
                .put("message", error.<String>getAs(RowError.MESSAGE))
                .put("type", status(failed) == 400 ? "invalid_request_error" : "server_error")
                .putNull("param")
                .put("code", error.<String>getAs(RowError.CODE));
        return body;
    }
}
