package io.millrace.jobs.sql;

import io.millrace.jobs.Builds;
import io.millrace.jobs.JobConfig;
import io.millrace.jobs.MillraceHome;
import io.millrace.jobs.Settings;
import io.millrace.udf.GenerateRecipe;
import io.millrace.udf.PromptRecipe;
import io.millrace.udf.PromptTemplate;
import io.millrace.udf.SamplingRecipe;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The session's settings of engine, prompts and sampling: a job's keys, as `spark.millrace.engine.maxRunning`,
/// with a job's defaults.
///
/// @param keys of those groups
record SqlSettings(Settings keys) {
    private static final List<String> GROUPS = List.of("engine.", "served.", "prompt.", "sampling.");
    /// Keys that a job cannot do without, and that say nothing of an answer.
    private static final Settings JOB = new Settings(
            "spark.sql.extensions",
            Map.of(
                    "input.path", List.of("sql"),
                    "input.format", List.of("jsonl"),
                    "input.text-column", List.of(PromptTemplate.TEXT)));
    private static final String RUN = "sql";

    /// @param conf of the session
    static SqlSettings of(Map<String, String> conf) {
        Map<String, List<String>> keys =
                new HashMap<>(Settings.ofSparkConf(conf).values());
        keys.keySet().removeIf(key -> GROUPS.stream().noneMatch(key::startsWith));
        return new SqlSettings(new Settings("Spark configuration", keys));
    }

    /// @throws io.millrace.jobs.ConfigException if the settings are wrong
    ModelTask task(CallRecipe call) {
        Settings model = new Settings(call.function().sqlName(), Map.of("engine.model-dir", List.of(call.model())));
        JobConfig config = JobConfig.resolve(MillraceHome.find(null), List.of(JOB, keys, model));
        return new ModelTask(
                call,
                new GenerateRecipe(
                        config.engine(),
                        prompt(call, config.prompt()),
                        sampling(call, config.sampling()),
                        RUN,
                        RUN,
                        Builds.version()),
                Duration.ofSeconds(config.stallSeconds()));
    }

    private static PromptRecipe prompt(CallRecipe call, PromptRecipe session) {
        String template = call.template();
        String system = call.system();
        return new PromptRecipe(
                template == null ? session.template() : template,
                call.format(),
                system == null ? session.system() : system,
                session.thinking(),
                session.maxPromptTokens(),
                session.overlong());
    }

    /// Beam search knows no forms, and one row has one answer.
    private static SamplingRecipe sampling(CallRecipe call, SamplingRecipe session) {
        boolean formed = call.function() == ModelFunction.CLASSIFY || call.function() == ModelFunction.EXTRACT;
        return new SamplingRecipe(
                session.temperature(),
                session.topP(),
                session.topK(),
                session.minP(),
                session.maxTokens(),
                session.stop(),
                session.seed(),
                1,
                formed ? 1 : session.beams(),
                formed ? 0 : session.lengthPenalty());
    }
}
