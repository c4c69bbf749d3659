package io.millrace.udf;

import io.millrace.engine.api.FinishReason;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.ModelSummary;
import io.millrace.engine.api.ScoringResult;
import io.millrace.engine.api.TokenLogprob;
import io.millrace.engine.chat.ToolCall;
import io.millrace.schemas.Columns.Completion;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/// Results as rows of `completion.v3`, metric columns included: they are cheap beside the inference, and
/// thresholds can then change without it. Languages, which are not, are told where that is asked for.
/// Confined to one task.
public final class CompletionRows {
    static final String OK = "ok";
    static final String ERROR = "error";
    static final String SKIPPED = "skipped";
    static final String TOOL_CALLS = "tool_calls";

    private final GenerateRecipe recipe;
    private final PromptEngine engine;
    private final StructType schema = SparkSchemas.completion();
    private final Languages languages = new Languages();
    private final AskedForms forms = new AskedForms();
    private final Row engineStruct;

    public CompletionRows(GenerateRecipe recipe, PromptEngine engine) {
        this.recipe = recipe;
        this.engine = engine;
        this.engineStruct = engineStruct();
    }

    /// What is told of an output row.
    public FinishedRow finished(Row row) {
        Row place = row.getStruct(schema.fieldIndex(Completion.InputRef.COLUMN));
        Row error = row.getStruct(schema.fieldIndex(Completion.RowError.COLUMN));
        Row timing = row.getStruct(schema.fieldIndex(Completion.Timing.COLUMN));
        return new FinishedRow(
                row.getString(schema.fieldIndex(Completion.CUSTOM_ID)),
                place.getString(0),
                place.getInt(1),
                place.getLong(2),
                row.getInt(schema.fieldIndex(Completion.SAMPLE_IDX)),
                error == null ? null : error.getString(1),
                row.getInt(schema.fieldIndex(Completion.PROMPT_TOKENS)),
                row.getInt(schema.fieldIndex(Completion.COMPLETION_TOKENS)),
                timing.getDouble(0),
                timing.getDouble(1),
                timing.getDouble(2));
    }

    /// The row of a request that ran to its end.
    public Row completed(PromptRows.Prompt.Ready prompt, GenerationResult.Completed result) {
        Reading reading = prompt.request().reading();
        PromptEngine.Answer answer = engine.answer(result, reading);
        NamedRow row = common(prompt.source(), OK);
        prompt(row, prompt.request().prompt());
        row.set(Completion.PROMPT_TOKENS, result.usage().promptTokens());
        row.set(Completion.CACHED_TOKENS, result.usage().cachedTokens());
        row.set(Completion.COMPLETION_TOKENS, result.usage().completionTokens());
        row.set(Completion.REASONING_TOKENS, answer.reasoningTokens());
        row.set(Completion.OUTPUT_TEXT, answer.text());
        row.set(Completion.REASONING_TEXT, answer.reasoning());
        if (!answer.calls().isEmpty()) {
            row.set(
                    Completion.ToolCalls.COLUMN,
                    calls(answer.calls(), prompt.request().id()));
        }
        row.set(Completion.PARSE_ERROR, answer.fault() == null ? forms.fault(answer.text(), reading) : answer.fault());
        row.set(
                Completion.FINISH_REASON,
                answer.calls().isEmpty() ? result.finishReason().wireName() : TOOL_CALLS);
        row.set(Completion.MEAN_LOGPROB, Double.isNaN(result.meanLogprob()) ? null : result.meanLogprob());
        if (prompt.request().sampling().logprobs() >= 0) {
            row.set(Completion.Logprobs.COLUMN, logprobs(result.logprobs()));
        }
        row.set(Completion.Timing.COLUMN, timing(result.timing()));
        metrics(row, prompt.source(), answer.text());
        return row.toRow();
    }

    /// The row whose continuations were scored. Of its prompt only that counts as cached that was so
    /// for each.
    Row scored(PromptRows.Prompt.Scored prompt, List<ScoringResult.Scored> results) {
        NamedRow row = common(prompt.source(), OK);
        prompt(row, prompt.prompt());
        row.set(Completion.FINISH_REASON, FinishReason.STOP.wireName());
        row.set(
                Completion.CACHED_TOKENS,
                results.stream()
                        .mapToInt(result -> result.usage().cachedTokens())
                        .min()
                        .orElse(0));
        row.set(
                Completion.COMPLETION_TOKENS,
                results.stream().mapToInt(result -> result.logprobs().size()).sum());
        row.set(Completion.Scores.COLUMN, array(scores(prompt.parts(), results)));
        row.set(Completion.Timing.COLUMN, timing(results.getLast().timing()));
        return row.toRow();
    }

    /// A continuation that was scored in parts has their sum, and is greedy if all of them are.
    private static List<Row> scores(List<Integer> parts, List<ScoringResult.Scored> results) {
        List<Row> scores = new ArrayList<>();
        int from = 0;
        for (int count : parts) {
            List<ScoringResult.Scored> own = results.subList(from, from + count);
            scores.add(RowFactory.create(
                    own.stream().mapToDouble(ScoringResult.Scored::logprob).sum(),
                    own.stream().mapToInt(part -> part.logprobs().size()).sum(),
                    own.stream().allMatch(ScoringResult.Scored::greedy)));
            from += count;
        }
        return scores;
    }

    /// The row of a sample that the input row does not have.
    public Row skipped(PromptRows.Prompt.Skipped prompt) {
        return common(prompt.source(), SKIPPED)
                .set(Completion.FINISH_REASON, null)
                .toRow();
    }

    /// The row of a request the engine could not answer.
    public Row failed(PromptRows.Prompt.Ready prompt, GenerationResult.Failed result, int attempts) {
        return failed(prompt.source(), prompt.request().prompt(), result, attempts);
    }

    /// The row of continuations the engine could not score.
    Row failed(PromptRows.Prompt.Scored prompt, GenerationResult.Failed result, int attempts) {
        return failed(prompt.source(), prompt.prompt(), result, attempts);
    }

    private Row failed(PromptRows.Source source, EncodedPrompt prompt, GenerationResult.Failed result, int attempts) {
        NamedRow row = common(source, ERROR);
        prompt(row, prompt);
        row.set(
                Completion.RowError.COLUMN,
                error(
                        result.code().kind().name(),
                        result.code().name(),
                        result.message(),
                        result.code().isRetryable(),
                        attempts,
                        source.raw()));
        return row.toRow();
    }

    /// The row of an input row that never was a request.
    public Row refused(PromptRows.Prompt.Refused prompt) {
        NamedRow row = common(prompt.source(), ERROR);
        row.set(
                Completion.RowError.COLUMN,
                error(
                        prompt.kind(),
                        prompt.code(),
                        prompt.message(),
                        prompt.retryable(),
                        1,
                        prompt.source().raw()));
        return row.toRow();
    }

    /// What every row has, and the zeros of a row that never ran.
    private NamedRow common(PromptRows.Source source, String status) {
        RowIdentity identity = source.identity();
        Retry retry = recipe.retry();
        NamedRow row = new NamedRow(schema);
        row.set(Completion.REQUEST_ID, identity.requestId(recipe.configFingerprint()));
        row.set(Completion.CUSTOM_ID, source.customId());
        row.set(
                Completion.InputRef.COLUMN,
                new NamedRow((StructType)
                                schema.apply(Completion.InputRef.COLUMN).dataType())
                        .set(Completion.InputRef.FILE, identity.file())
                        .set(Completion.InputRef.ROW_GROUP, identity.rowGroup())
                        .set(Completion.InputRef.ROW, identity.row())
                        .toRow());
        row.set(Completion.PROMPT_FORMAT, source.isChat() ? "chat" : "text");
        row.set(Completion.SAMPLE_IDX, identity.sampleIdx());
        row.set(Completion.STATUS, status);
        row.set(Completion.FINISH_REASON, ERROR);
        row.set(Completion.SEED, source.seed());
        row.set(Completion.Retry.COLUMN, retry == null ? null : retry.toColumn());
        row.set(Completion.REFERENCE, source.reference());
        row.set(Completion.SOURCE_CHARS, source.chars());
        row.set(Completion.OUTPUT_CHARS, 0);
        for (String count : COUNTS) {
            row.set(count, 0);
        }
        row.set(Completion.Timing.COLUMN, timing(new GenerationResult.Timing(0, 0, 0)));
        row.set(Completion.Engine.COLUMN, engineStruct);
        row.set(Completion.RUN_ID, recipe.runId());
        row.set(Completion.CONFIG_FINGERPRINT, recipe.configFingerprint());
        row.set(Completion.WRITTEN_AT, Timestamp.from(Instant.now()));
        return row;
    }

    private static final String[] COUNTS = {
        Completion.PROMPT_TOKENS, Completion.CACHED_TOKENS, Completion.COMPLETION_TOKENS, Completion.REASONING_TOKENS
    };

    private void prompt(NamedRow row, EncodedPrompt prompt) {
        row.set(Completion.PROMPT_SHA256, RowIdentity.sha256Hex(prompt.spelled(engine::decode)));
        row.set(Completion.PROMPT_TOKENS, prompt.size());
    }

    private static Seq<Row> calls(List<ToolCall> calls, String requestId) {
        List<Row> items = new ArrayList<>();
        for (ToolCall call : calls) {
            // a function of the row, so that the same row is the same
            String id = "call_" + requestId.substring(0, 24) + "_" + items.size();
            items.add(RowFactory.create(id, "function", RowFactory.create(call.name(), call.arguments())));
        }
        return array(items);
    }

    private static Seq<Row> logprobs(List<TokenLogprob> tokens) {
        return array(tokens.stream()
                .map(token -> RowFactory.create(
                        token.text(),
                        token.token(),
                        token.logprob(),
                        array(token.top().stream()
                                .map(top -> RowFactory.create(top.text(), top.token(), top.logprob()))
                                .toList())))
                .toList());
    }

    /// As Spark has arrays in rows.
    private static Seq<Row> array(List<Row> items) {
        return CollectionConverters.asScala(items).toSeq();
    }

    private void metrics(NamedRow row, PromptRows.Source source, String output) {
        int outputChars = codePoints(output);
        row.set(Completion.OUTPUT_CHARS, outputChars);
        row.set(Completion.LENGTH_RATIO, source.chars() == 0 ? null : (double) outputChars / source.chars());
        row.set(Completion.REPETITION, TextMetrics.repetition(output));
        row.set(Completion.TEMPLATE_LEAK, TextMetrics.leaksTemplate(output));
        if (recipe.languages()) {
            row.set(Completion.LANGUAGE, languages.of(output));
            row.set(Completion.SOURCE_LANGUAGE, languages.of(source.start()));
        }
        row.set(Completion.JSON_VALID, TextMetrics.isJson(output));
        row.set(Completion.REPLACEMENT_CHARS, TextMetrics.replacementShare(output));
        if (source.reference() != null) {
            Rouge.Scores scores = Rouge.score(References.of(source.reference()), output);
            row.set(Completion.ROUGE1, scores.rouge1());
            row.set(Completion.ROUGE2, scores.rouge2());
            row.set(Completion.ROUGE_L, scores.rougeL());
        }
    }

    private Row engineStruct() {
        ModelSummary model = engine.model();
        return new NamedRow((StructType) schema.apply(Completion.Engine.COLUMN).dataType())
                .set(Completion.Engine.MODEL, model.name())
                .set(Completion.Engine.REVISION, engine.revision())
                .set(Completion.Engine.WEIGHTS_SHA, model.weightsSha256())
                .set(Completion.Engine.QUANTIZATION, model.quantization())
                .set(Completion.Engine.ENGINE_VERSION, recipe.engineVersion())
                .set(Completion.Engine.KERNEL_RING, model.ring())
                .set(Completion.Engine.DEVICE, engine.device())
                .toRow();
    }

    private Row error(String kind, String code, String message, boolean retryable, int attempts, @Nullable String raw) {
        return new NamedRow(
                        (StructType) schema.apply(Completion.RowError.COLUMN).dataType())
                .set(Completion.RowError.CLASS, kind)
                .set(Completion.RowError.CODE, code)
                .set(Completion.RowError.MESSAGE, message)
                .set(Completion.RowError.RETRYABLE, retryable)
                .set(Completion.RowError.ATTEMPTS, attempts)
                .set(Completion.RowError.RAW, raw)
                .toRow();
    }

    private Row timing(GenerationResult.Timing timing) {
        return new NamedRow((StructType) schema.apply(Completion.Timing.COLUMN).dataType())
                .set(Completion.Timing.QUEUED_MS, timing.queuedMillis())
                .set(Completion.Timing.PREFILL_MS, timing.prefillMillis())
                .set(Completion.Timing.DECODE_MS, timing.decodeMillis())
                .toRow();
    }

    private static int codePoints(String text) {
        return text.codePointCount(0, text.length());
    }

    /// A row under construction, by column name; what is not set is null.
    private static final class NamedRow {
        private final StructType schema;
        private final @Nullable Object[] values;

        NamedRow(StructType schema) {
            this.schema = schema;
            values = new @Nullable Object[schema.length()];
        }

        NamedRow set(String column, @Nullable Object value) {
            values[schema.fieldIndex(column)] = value;
            return this;
        }

        Row toRow() {
            return RowFactory.create(values);
        }
    }
}
