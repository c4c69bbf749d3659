package io.millrace.jobs.plan;

import io.millrace.engine.api.TokenIds;
import io.millrace.udf.EncodedPrompt;
import io.millrace.udf.ExecutorEngine;
import io.millrace.udf.GenerateRecipe;
import io.millrace.udf.InputColumns;
import io.millrace.udf.OverlongPolicy;
import io.millrace.udf.PromptEngine;
import io.millrace.udf.PromptFormat;
import io.millrace.udf.PromptRecipe;
import io.millrace.udf.PromptRows;
import io.millrace.udf.PromptRows.Prompt;
import io.millrace.udf.References;
import io.millrace.udf.RowFault;
import io.millrace.udf.RowIdentity;
import io.millrace.udf.TaskScope;
import java.util.Collections;
import java.util.Iterator;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.StreamSupport;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Row;

/// Input rows as the engine would get them: encoded by the executor's own engine, and not computed.
final class EncodeRows implements FlatMapFunction<Iterator<Row>, Row> {
    private static final long serialVersionUID = 1L;
    /// Characters for a token where only a server can count them.
    private static final int GUESSED_CHARS = 4;

    private final GenerateRecipe recipe;
    private final Draw looked;
    private final int keptTokens;
    private final boolean spells;

    /// @param looked which rows are encoded; the others yield nothing
    /// @param keptTokens most tokens of a prompt that are kept
    /// @param spells whether prompts are spelt out
    EncodeRows(GenerateRecipe recipe, Draw looked, int keptTokens, boolean spells) {
        this.recipe = recipe;
        this.looked = looked;
        this.keptTokens = keptTokens;
        this.spells = spells;
    }

    /// @return {@link EncodedRow#toRow} of each
    @Override
    public Iterator<Row> call(Iterator<Row> rows) {
        if (!rows.hasNext()) {
            return Collections.emptyIterator();
        }
        TaskScope scope = TaskScope.ofThisThread();
        ExecutorEngine.Lease lease = ExecutorEngine.ofThisProcess().lease(recipe.engine());
        scope.onEnd(lease::close);
        Encoding encoding = new Encoding(lease.engine());
        Spliterator<Row> all = Spliterators.spliteratorUnknownSize(rows, Spliterator.ORDERED);
        return StreamSupport.stream(all, false)
                .filter(row -> looked.takes(RowIdentity.of(row, 0)))
                .map(row -> {
                    scope.throwIfKilled();
                    return encoding.encoded(row).toRow();
                })
                .iterator();
    }

    /// Confined to a task.
    private final class Encoding {
        private final PromptEngine engine;
        private final PromptRows rows;
        /// As the rows, but what is too long is refused, which is how that is found out.
        private final PromptRows strict;

        Encoding(PromptEngine engine) {
            this.engine = engine;
            rows = new PromptRows(recipe, engine);
            strict = new PromptRows(strict(recipe), engine);
        }

        EncodedRow encoded(Row row) {
            String place = row.<String>getAs(InputColumns.FILE) + ", row group "
                    + row.<Integer>getAs(InputColumns.ROW_GROUP) + ", row " + row.<Long>getAs(InputColumns.ROW);
            Prompt prompt = strict.prompt(row, 0);
            boolean overlong =
                    prompt instanceof Prompt.Refused refused && refused.code().equals(RowFault.PROMPT_TOO_LONG.name());
            if (overlong && recipe.prompt().overlong() != OverlongPolicy.ERROR) {
                prompt = rows.prompt(row, 0);
            }
            return switch (prompt) {
                case Prompt.Refused refused -> EncodedRow.refused(place, refused.code(), refused.message(), overlong);
                case Prompt.Skipped _ -> throw new IllegalStateException(place + ": a row has a first sample");
                case Prompt.Ready ready ->
                    encoded(
                            row,
                            place,
                            overlong,
                            ready.request().prompt(),
                            ready.request().sampling().maxTokens(),
                            0);
                case Prompt.Scored scored ->
                    encoded(
                            row,
                            place,
                            overlong,
                            scored.prompt(),
                            0,
                            scored.requests().stream()
                                    .mapToInt(request -> request.continuation().size())
                                    .sum());
            };
        }

        private EncodedRow encoded(
                Row row, String place, boolean overlong, EncodedPrompt prompt, int maxTokens, int scoredTokens) {
            boolean counted = prompt instanceof EncodedPrompt.Tokens;
            String spelled = spells || !counted ? prompt.spelled(engine::decode) : "";
            return new EncodedRow(
                    place,
                    null,
                    null,
                    overlong,
                    counted ? prompt.size() : Math.ceilDiv(spelled.length(), GUESSED_CHARS),
                    counted,
                    maxTokens == 0 ? 1 : samples(row),
                    maxTokens,
                    scoredTokens,
                    referenceTokens(row, counted),
                    prompt instanceof EncodedPrompt.Tokens(TokenIds ids)
                            ? ids.head(Math.min(keptTokens, ids.size()))
                            : TokenIds.EMPTY,
                    spells ? spelled : null);
        }

        /// A row may ask for fewer samples than the run has.
        private int samples(Row row) {
            int most = recipe.sampling().samples();
            boolean own = row.getAs(InputColumns.PARAMETERS) != null
                    || recipe.prompt().format() == PromptFormat.OPENAI;
            if (!own) {
                return most;
            }
            int samples = 1;
            while (samples < most && !(rows.prompt(row, samples) instanceof Prompt.Skipped)) {
                samples++;
            }
            return samples;
        }

        private int referenceTokens(Row row, boolean counted) {
            String reference = row.getAs(InputColumns.REFERENCE);
            return reference == null || !counted
                    ? -1
                    : engine.encodeText(References.of(reference).getFirst()).size();
        }
    }

    private static GenerateRecipe strict(GenerateRecipe recipe) {
        PromptRecipe prompt = recipe.prompt();
        return new GenerateRecipe(
                recipe.engine(),
                new PromptRecipe(
                        prompt.template(),
                        prompt.format(),
                        prompt.system(),
                        prompt.thinking(),
                        prompt.maxPromptTokens(),
                        OverlongPolicy.ERROR),
                recipe.sampling(),
                recipe.runId(),
                recipe.configFingerprint(),
                recipe.engineVersion());
    }
}
