package io.millrace.jobs.plan;

import io.millrace.jobs.InputTable;
import io.millrace.jobs.JobConfig;
import io.millrace.jobs.plan.Calibration.Round;
import io.millrace.jobs.plan.MeasureRows.Answer;
import io.millrace.jobs.plan.StepsQuestion.Steps;
import io.millrace.udf.GenerateRecipe;
import io.millrace.udf.InputColumns;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;

/// Measures a few of a run's rows on the run's own engines: the same tasks, the same batch, the same work
/// around each row. Whole answers if a full batch of them fits into the time, else their first tokens.
final class Calibrator {
    /// Of an answer of the first round, of which nothing is known.
    private static final int FIRST_TOKENS = 8;
    /// Of the answers of the last round where answers are cut.
    private static final int CUT_TOKENS = 24;
    /// Characters of a token.
    private static final int GUESSED_CHARS = 4;
    /// Batches of whole answers in a round, so that most steps are full ones.
    private static final int BATCHES = 2;

    private final JavaSparkContext spark;
    private final InputTable input;
    private final JobConfig config;
    private final GenerateRecipe recipe;
    private final int executors;
    private final Runnable beside;

    /// @param input knows where the engines are
    /// @param executors that share the rows
    /// @param beside begun with the first round
    Calibrator(
            JavaSparkContext spark,
            InputTable input,
            JobConfig config,
            GenerateRecipe recipe,
            int executors,
            Runnable beside) {
        this.spark = spark;
        this.input = input;
        this.config = config;
        this.recipe = recipe;
        this.executors = executors;
        this.beside = beside;
    }

    /// Measures for about so long; more if a single round takes longer.
    ///
    /// @param rows of the run, in an order that says nothing
    /// @param firstRow seconds until the first row was read
    /// @return null if there is no row
    @Nullable
    Calibration measure(List<Row> rows, double firstRow, double seconds) {
        Deque<Row> left = new ArrayDeque<>(rows);
        if (left.isEmpty()) {
            return null;
        }
        double meanPrompt = guessedPrompt(rows);
        boolean isScored = rows.stream().noneMatch(row -> row.isNullAt(row.fieldIndex(InputColumns.CONTINUATIONS)));
        int maxTokens = isScored ? 0 : config.sampling().maxTokens();
        long begun = System.nanoTime();
        int answers = config.sampling().beams() * config.sampling().samples();
        int batch = Math.max(1, config.engine().maxRunning() / answers) * executors;
        // one full step, and of a few rows not all: others have to tell how long answers are
        int first = Math.clamp((long) (config.engine().stepTokens() / Math.max(1, meanPrompt)), 1, batch);
        first = Math.clamp(rows.size() / 2, 1, first);
        List<Round> rounds = new ArrayList<>();
        rounds.add(round(left, first, maxTokens <= FIRST_TOKENS ? 0 : FIRST_TOKENS));
        while (!left.isEmpty()) {
            Round last = rounds.getLast();
            double rest = seconds - (System.nanoTime() - begun) / 1e9;
            // until answers were whole, the longest that they may be is all that is known
            double growth = last.isWhole() ? 1 : (meanPrompt + maxTokens) / (meanPrompt + last.maxTokens());
            double perRow = last.seconds() / last.rows();
            int fits = (int) Math.clamp((long) (rest / (perRow * growth)), 0, (long) BATCHES * batch);
            // a round that is smaller than the one before would say less than that
            int least = last.isWhole() ? last.rows() : Math.min(batch, left.size());
            if (fits >= least && least <= left.size()) {
                rounds.add(round(left, fits, 0));
            } else if (last.isWhole() || rounds.size() > 2 || rest <= 0) {
                break;
            } else {
                int some = Math.clamp((long) (rest / 2 / perRow), 1, batch);
                rounds.add(round(left, some, rounds.size() == 1 ? 1 : Math.min(maxTokens, CUT_TOKENS)));
            }
        }
        return Calibration.of(rounds, firstRow);
    }

    /// Tokens of a prompt, about, by the characters: enough to size the first rounds.
    private double guessedPrompt(List<Row> rows) {
        double mean = rows.stream()
                .map(row -> row.<String>getAs(InputColumns.TEXT))
                .mapToInt(text -> text == null ? 0 : text.length() / GUESSED_CHARS)
                .average()
                .orElse(0);
        int most = config.prompt().maxPromptTokens();
        return most == 0 ? mean : Math.min(mean, most);
    }

    /// @param maxTokens most tokens of an answer; 0 for the run's
    private Round round(Deque<Row> left, int count, int maxTokens) {
        List<Row> rows = new ArrayList<>();
        while (rows.size() < count && !left.isEmpty()) {
            rows.add(left.removeFirst());
        }
        GenerateRecipe how = maxTokens == 0 ? recipe : cut(maxTokens);
        Steps before = steps();
        beside.run();
        long begun = System.nanoTime();
        int tasks = Math.min(rows.size(), spark.defaultParallelism());
        List<Answer> answers = input
                .whereTheEnginesAre(spark.parallelize(rows, tasks))
                .mapPartitions(new MeasureRows(how, Duration.ofSeconds(config.stallSeconds())))
                .collect()
                .stream()
                .map(Answer::of)
                .toList();
        double seconds = (System.nanoTime() - begun) / 1e9;
        Steps steps = steps().since(before);
        List<Answer> ok = answers.stream().filter(Answer::isOk).toList();
        return new Round(
                rows.size(),
                ok.size(),
                maxTokens,
                seconds,
                ok.stream()
                        .mapToLong(answer -> answer.promptTokens() - answer.cachedTokens())
                        .sum(),
                ok.stream().mapToLong(Answer::completionTokens).sum(),
                ok.stream()
                        .mapToDouble(answer -> (double) answer.completionTokens() * answer.completionTokens())
                        .sum(),
                steps.steps(),
                steps.decoded());
    }

    /// Of one engine; of several nobody knows which one answers.
    private Steps steps() {
        return executors > 1
                ? new Steps(0, 0, 0)
                : Steps.of(input.whereTheEnginesAre(spark.parallelize(List.of(""), 1))
                        .map(new StepsQuestion(config.engine()))
                        .first());
    }

    private GenerateRecipe cut(int maxTokens) {
        return new GenerateRecipe(
                recipe.engine(),
                recipe.prompt(),
                recipe.sampling().with(Map.of("max-tokens", (double) maxTokens)),
                recipe.runId(),
                recipe.configFingerprint(),
                recipe.engineVersion(),
                recipe.languages(),
                null);
    }
}
