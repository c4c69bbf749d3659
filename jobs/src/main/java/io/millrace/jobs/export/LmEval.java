package io.millrace.jobs.export;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.jobs.JobException;
import io.millrace.udf.InputColumns;
import io.millrace.udf.shard.AnsweredRows.Answered;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import org.apache.spark.sql.Row;

/// Logged samples as lm-evaluation-harness writes them (`--log_samples`), `samples_TASK.jsonl`: an
/// input row is a document, its reference the target, a request each of its samples or continuations.
/// Metrics are none: who has the task computes them.
final class LmEval implements Projection {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final String task;
    private final Prompts prompts;
    private int documents;

    LmEval(String task, Prompts prompts) {
        this.task = task;
        this.prompts = prompts;
    }

    @Override
    public boolean needsInput() {
        return true;
    }

    @Override
    public void write(Answered answered, Lines lines) {
        Row input = answered.input();
        if (input == null) {
            throw new IllegalStateException("asked for");
        }
        List<Completion> samples = Completion.of(answered.completions());
        Completion first = samples.getFirst();
        String prompt = prompts.spelled(input);
        String target = first.reference() == null ? "" : first.reference();
        ObjectNode line = JsonNodeFactory.instance.objectNode().put("doc_id", documents++);
        ObjectNode document = line.putObject("doc");
        document.put("text", input.<String>getAs(InputColumns.TEXT))
                .put("custom_id", input.<String>getAs(InputColumns.CUSTOM_ID))
                .put("reference", first.reference());
        line.put("target", target);
        ObjectNode arguments = line.putObject("arguments");
        ArrayNode responses = line.putArray("resps");
        ArrayNode filtered = line.putArray("filtered_resps");
        if (input.getAs(InputColumns.CONTINUATIONS) == null) {
            arguments.putObject("gen_args_0").put("arg_0", prompt).putObject("arg_1");
            ArrayNode texts = responses.addArray();
            samples.stream().filter(Completion::isOk).forEach(sample -> texts.add(sample.text()));
            texts.forEach(filtered::add);
        } else {
            addScores(input, first, prompt, arguments, responses, filtered);
        }
        line.put("filter", "none");
        line.putArray("metrics");
        line.put("doc_hash", sha256(document.toString()))
                .put("prompt_hash", sha256(prompt))
                .put("target_hash", sha256(target));
        lines.add("samples_" + task + ".jsonl", line);
    }

    /// A log-likelihood and whether it is greedy, as the harness writes it: words.
    private static void addScores(
            Row input, Completion row, String prompt, ObjectNode arguments, ArrayNode responses, ArrayNode filtered) {
        JsonNode continuations = continuations(input.getAs(InputColumns.CONTINUATIONS));
        List<Row> scores = row.isScored() ? row.scores() : List.of();
        for (int index = 0; index < continuations.size(); index++) {
            arguments
                    .putObject("gen_args_" + index)
                    .put("arg_0", prompt)
                    .put("arg_1", continuations.path(index).asText());
            if (index < scores.size()) {
                String greedy = scores.get(index).getBoolean(2) ? "True" : "False";
                String sum = Double.toString(scores.get(index).getDouble(0));
                responses.addArray().addArray().add(sum).add(greedy);
                filtered.addArray().add(sum).add(greedy);
            }
        }
    }

    private static JsonNode continuations(String json) {
        try {
            return JSON.readTree(json);
        } catch (JsonProcessingException _) {
            // its row is an error row, which says so
            return JSON.createArrayNode();
        }
    }

    private static String sha256(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new JobException("every Java platform has SHA-256", e);
        }
    }
}
