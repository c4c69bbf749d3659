package io.millrace.jobs.plan;

import io.millrace.jobs.Builds;
import io.millrace.jobs.InputTable;
import io.millrace.jobs.JobConfig;
import io.millrace.jobs.RunPlanner;
import io.millrace.jobs.inspect.ModelMemory;
import io.millrace.jobs.plan.Forecast.Fleet;
import io.millrace.jobs.plan.Forecast.Work;
import io.millrace.jobs.plan.StepCount.Request;
import io.millrace.udf.EngineQuestion;
import io.millrace.udf.EngineRecipe;
import io.millrace.udf.GenerateRecipe;
import io.millrace.udf.PromptTemplate;
import io.millrace.udf.RowIdentity;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;

/// Looks at a run's rows through its own engines, measures a few of them, and says what all will take.
final class Planner implements RunPlanner {
    static final String SERVED = "served";
    private static final int SHOWN_PROMPTS = 3;
    /// Of a prompt, for what prompts have in common.
    private static final int KEPT_TOKENS = 8192;
    /// Full batches that are kept for measuring.
    private static final int MEASURED_BATCHES = 12;
    private static final int MOST_MEASURED = 4096;
    /// Requests whose steps are gone through.
    private static final int COUNTED_REQUESTS = 4000;
    private static final Draw ALL = new Draw(0, 1);

    private final Asked asked;
    private final PrintWriter err;
    private @Nullable Forecast forecast;

    /// What is wanted of a plan.
    ///
    /// @param sampleRows rows of which all are looked at; of more, about so many
    /// @param calibrationSeconds how long to measure; 0 for not at all
    /// @param profile in place of measuring; null for none
    /// @param answerTokens how long answers are; null if that is to be found out
    /// @param executors that will compute; 0 for those that are there
    /// @param deviceHourPrice null for unknown
    record Asked(
            long sampleRows,
            long seed,
            double calibrationSeconds,
            @Nullable DeviceProfile profile,
            @Nullable Double answerTokens,
            int executors,
            @Nullable Double deviceHourPrice,
            Prices prices,
            String bundledModel) {}

    /// @param err told what is being done
    Planner(Asked asked, PrintWriter err) {
        this.asked = asked;
        this.err = err;
    }

    /// What came out; null if no run was about to begin.
    @Nullable
    Forecast forecast() {
        return forecast;
    }

    @Override
    public String plan(JavaSparkContext spark, JobConfig config, boolean languages, Runnable beside) {
        Forecast made = forecast(spark, config, languages, beside);
        forecast = made;
        return made.toJson().toPrettyString() + "\n";
    }

    private Forecast forecast(JavaSparkContext spark, JobConfig config, boolean languages, Runnable beside) {
        List<String> columns = PromptTemplate.parse(config.prompt().template()).columns();
        InputTable input = InputTable.of(spark, config, columns);
        GenerateRecipe recipe = new GenerateRecipe(
                        config.engine(), config.prompt(), config.sampling(), "plan", "plan", Builds.version())
                .withLanguages(languages);
        // the run waits for that before its clock begins
        String _ = input.whereTheEnginesAre(spark.parallelize(List.of(""), 1))
                .map(new EngineQuestion(config.engine()))
                .first();
        int executors = executors(spark, config);
        boolean measures = asked.profile() == null && asked.calibrationSeconds() > 0;
        // before anything is encoded: what is measured has to be as cold as a run
        Calibration calibration = measures ? measured(spark, input, config, recipe, executors, beside) : null;
        List<EncodedRow> prompts = encoded(
                input.read().mapPartitions(new EncodeRows(recipe, ALL, 0, true)).take(SHOWN_PROMPTS));
        Draw looked = Draw.of(asked.seed(), asked.sampleRows(), input.rows());
        say(
                looked.isAll()
                        ? String.format(Locale.ROOT, "encoding %,d rows", input.rows())
                        : String.format(
                                Locale.ROOT, "encoding about %,d of %,d rows", asked.sampleRows(), input.rows()));
        Survey survey = new Survey(
                input.rows(),
                encoded(input.read()
                        .mapPartitions(new EncodeRows(recipe, looked, KEPT_TOKENS, false))
                        .collect()));
        SharedPrefixes prefixes = SharedPrefixes.of(survey.ready());
        Fleet fleet = new Fleet(
                asked.executors() == 0 ? executors : asked.executors(),
                config.cards().group());
        AnswerLength length = AnswerLength.of(asked.answerTokens(), calibration, survey);
        ModelMemory memory = memory(spark, input, config, survey, length);
        Work work = work(config, survey, prefixes, calibration, length, memory, fleet);
        long computed = work.promptTokens() - (config.engine().prefixSharing() ? work.sharedTokens() : 0);
        Double seconds = null;
        if (asked.profile() != null) {
            seconds = asked.profile().seconds(computed, work.completionTokens(), fleet.engines());
        } else if (calibration != null) {
            seconds = calibration.seconds(computed, work.completionTokens(), (double) executors / fleet.engines());
        }
        return new Forecast(
                config,
                survey,
                prompts,
                prefixes,
                work,
                calibration,
                asked.profile(),
                fleet,
                seconds,
                memory,
                asked.deviceHourPrice(),
                asked.prices(),
                RunPlanner.LATER.isBound() ? RunPlanner.LATER.get() : null);
    }

    private @Nullable Calibration measured(
            JavaSparkContext spark,
            InputTable input,
            JobConfig config,
            GenerateRecipe recipe,
            int executors,
            Runnable beside) {
        long begun = System.nanoTime();
        List<Row> _ = input.read().take(1);
        double firstRow = (System.nanoTime() - begun) / 1e9;
        long wanted = Math.min(
                MOST_MEASURED,
                (long) MEASURED_BATCHES * executors * config.engine().maxRunning());
        Draw draw = Draw.of(asked.seed() + 1, wanted, input.rows());
        List<Row> rows = new ArrayList<>(
                input.read().filter(row -> draw.takes(RowIdentity.of(row, 0))).collect());
        Collections.shuffle(rows, new Random(asked.seed()));
        say(String.format(Locale.ROOT, "measuring for about %.0f s", asked.calibrationSeconds()));
        return new Calibrator(spark, input, config, recipe, executors, beside)
                .measure(rows, firstRow, asked.calibrationSeconds());
    }

    private static List<EncodedRow> encoded(List<Row> rows) {
        return rows.stream().map(EncodedRow::of).toList();
    }

    /// Those that are there now, of which each has an engine.
    private static int executors(JavaSparkContext spark, JobConfig config) {
        boolean isLocal = config.sparkMaster().startsWith("local")
                && !config.sparkMaster().startsWith("local-");
        // the driver is listed too
        return isLocal ? 1 : Math.max(1, spark.sc().statusTracker().getExecutorInfos().length - 1);
    }

    private @Nullable ModelMemory memory(
            JavaSparkContext spark, InputTable input, JobConfig config, Survey survey, AnswerLength length) {
        EngineRecipe engine = config.engine();
        Lengths prompts = survey.promptLengths();
        int most = survey.ready().stream()
                .mapToInt(row -> row.promptTokens() + Math.max(row.maxTokens(), row.scoredTokens()))
                .max()
                .orElse(1);
        // what a running row reserves is room for the longest answer
        int tokens = (int) Math.round(prompts.mean() + Math.max(survey.meanMaxTokens(), length.mean()));
        ModelMemory.Question question = new ModelMemory.Question(engine, Math.max(1, tokens), Math.max(1, most));
        if (engine.kind().equals(EngineRecipe.LOCAL)) {
            return ModelMemory.ofJson(input.whereTheEnginesAre(spark.parallelize(List.of(""), 1))
                    .map(question)
                    .first());
        }
        // a server has its model where it has it; what is here under that name is asked
        boolean isHere = engine.kind().equals(SERVED)
                && !engine.modelDir().equals(asked.bundledModel())
                && Files.exists(Path.of(engine.modelDir()));
        return isHere ? ModelMemory.ofJson(question.call("")) : null;
    }

    private static Work work(
            JobConfig config,
            Survey survey,
            SharedPrefixes prefixes,
            @Nullable Calibration calibration,
            AnswerLength length,
            @Nullable ModelMemory memory,
            Fleet fleet) {
        long shared = Math.round(prefixes.share() * survey.promptTokens());
        Long steps = null;
        Double occupancy = null;
        if (!config.engine().kind().equals(SERVED) && survey.answers() > 0) {
            StepCount.Room room = room(config, memory);
            int beams = config.sampling().beams();
            double decode = calibration == null ? 0 : calibration.meanDecodeSteps(beams);
            // the prompt's own step gives the first token
            double output = decode > 0 ? decode + 1 : length.mean();
            double computed = config.engine().prefixSharing() ? 1 - prefixes.share() : 1;
            List<Request> requests = requests(survey.ready(), computed, output, beams);
            long ofOne = Math.max(1, survey.answers() / fleet.engines());
            List<Request> gone =
                    requests.subList(0, (int) Math.min(Math.min(ofOne, COUNTED_REQUESTS), requests.size()));
            StepCount count = StepCount.of(gone, room);
            steps = Math.round((double) count.steps() * survey.answers() / gone.size());
            occupancy = count.occupancy(room);
        }
        return new Work(
                survey.answers(),
                survey.promptTokens(),
                shared,
                Math.round(survey.written() * length.mean()) + survey.scoredTokens(),
                length,
                steps,
                occupancy);
    }

    private static StepCount.Room room(JobConfig config, @Nullable ModelMemory memory) {
        int rows = Math.min(config.engine().maxRunning(), config.engine().stepTokens());
        long inCache = memory == null ? rows : memory.budgetBytes() / Math.max(1, memory.cacheBytes());
        return new StepCount.Room(config.engine().stepTokens(), Math.clamp(inCache, 1, rows));
    }

    private static List<Request> requests(List<EncodedRow> rows, double computed, double output, int beams) {
        List<Request> requests = new ArrayList<>();
        for (EncodedRow row : rows) {
            int prompt = (int) Math.max(1, Math.round(row.promptTokens() * computed));
            Request request = row.maxTokens() == 0
                    ? new Request(prompt + row.scoredTokens(), 0, 1)
                    : new Request(prompt, Math.clamp(Math.round(output), 1, row.maxTokens()), beams);
            requests.addAll(Collections.nCopies(row.samples(), request));
        }
        return requests;
    }

    private void say(String line) {
        err.println(line);
        err.flush();
    }
}
