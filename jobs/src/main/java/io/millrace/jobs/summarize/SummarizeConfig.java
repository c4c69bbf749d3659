package io.millrace.jobs.summarize;

import io.millrace.jobs.ConfigException;
import io.millrace.jobs.ConfigReader;
import io.millrace.jobs.JobConfig;
import io.millrace.jobs.MillraceHome;
import io.millrace.jobs.Settings;
import io.millrace.udf.PromptFormat;
import io.millrace.udf.PromptRecipe;
import io.millrace.udf.PromptTemplate;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// The keys `summarize.*`: how long documents are summarised, and whether summaries are measured.
///
/// @param chunkTokens most tokens of a chunk; 0 for what the prompt has room for
/// @param overlapTokens most tokens that a chunk repeats of the one before it
/// @param carryTokens most tokens of the summaries put before a chunk (hierarchical); 0 for as many as a
///     summary may have
/// @param combineTemplate the user's turn that asks for a summary of summaries; null for that of texts
/// @param continueTemplate the user's turn where a summary of what came before stands before the text
/// @param metrics whether a single pass is measured too; the other strategies always are
/// @param leadSentences sentences of the document's beginning that summaries are compared with
public record SummarizeConfig(
        Strategy strategy,
        int chunkTokens,
        int overlapTokens,
        int carryTokens,
        FailedChunks failedChunks,
        @Nullable String combineTemplate,
        String continueTemplate,
        boolean metrics,
        int leadSentences)
        implements Serializable {
    /// The placeholder of the summary of what came before.
    public static final String SUMMARY = "summary";

    private static final String PREFIX = "summarize.";

    static Map<String, @Nullable String> defaults() {
        Map<String, @Nullable String> keys = new LinkedHashMap<>();
        keys.put("summarize.strategy", "single");
        keys.put("summarize.chunk-tokens", "0");
        keys.put("summarize.overlap-tokens", "0");
        keys.put("summarize.carry-tokens", "0");
        keys.put("summarize.failed-chunks", "fail");
        keys.put("summarize.combine-template", null);
        keys.put("summarize.continue-template", "{summary}\n\n{text}");
        keys.put("summarize.metrics", "false");
        keys.put("summarize.lead-sentences", "1");
        return keys;
    }

    /// Both configurations of a job that summarises.
    public record Resolved(JobConfig job, SummarizeConfig summarize) {}

    /// Reads both, and says everything that is wrong with either.
    ///
    /// @param layers lowest precedence first
    /// @throws ConfigException with everything that is wrong
    public static Resolved resolve(MillraceHome home, List<Settings> layers) {
        List<String> problems = new ArrayList<>();
        SummarizeConfig own = null;
        JobConfig job = null;
        try {
            own = read(only(layers, key -> key.startsWith(PREFIX)));
        } catch (ConfigException e) {
            problems.addAll(e.problems());
        }
        try {
            job = JobConfig.resolve(home, only(layers, key -> !key.startsWith(PREFIX)));
        } catch (ConfigException e) {
            problems.addAll(e.problems());
        }
        if (own != null && job != null && own.isLong() && job.prompt().format() == PromptFormat.MESSAGES) {
            problems.add(
                    "summarize.strategy: expected single with prompt.format messages, got " + word(own.strategy()));
        }
        if (own == null || job == null || !problems.isEmpty()) {
            throw new ConfigException(problems);
        }
        return new Resolved(job, own);
    }

    private static List<Settings> only(List<Settings> layers, Predicate<String> wanted) {
        List<Settings> some = new ArrayList<>();
        for (Settings layer : layers) {
            Map<String, List<String>> values = new LinkedHashMap<>();
            layer.values().forEach((key, value) -> {
                if (wanted.test(key)) {
                    values.put(key, value);
                }
            });
            some.add(new Settings(layer.name(), values));
        }
        return some;
    }

    private static SummarizeConfig read(List<Settings> layers) {
        Map<String, List<String>> defaults = new LinkedHashMap<>();
        defaults().forEach((key, value) -> {
            if (value != null) {
                defaults.put(key, List.of(value));
            }
        });
        List<Settings> all = new ArrayList<>();
        all.add(new Settings("defaults", defaults));
        all.addAll(layers);
        ConfigReader reader = new ConfigReader(all);
        reader.refuseUnknown(defaults().keySet(), _ -> false);
        SummarizeConfig config = new SummarizeConfig(
                reader.choice("summarize.strategy", Strategy.values()),
                reader.integer("summarize.chunk-tokens", 0),
                reader.integer("summarize.overlap-tokens", 0),
                reader.integer("summarize.carry-tokens", 0),
                reader.choice("summarize.failed-chunks", FailedChunks.values()),
                reader.optional("summarize.combine-template"),
                reader.text("summarize.continue-template"),
                reader.flag("summarize.metrics"),
                reader.integer("summarize.lead-sentences", 1));
        config.check(reader);
        reader.throwIfWrong();
        return config;
    }

    private void check(ConfigReader reader) {
        template(reader, "summarize.continue-template", continueTemplate, SUMMARY);
        if (combineTemplate != null) {
            template(reader, "summarize.combine-template", combineTemplate, null);
        }
        if (chunkTokens > 0 && overlapTokens >= chunkTokens) {
            reader.wrong("summarize.overlap-tokens", "less than summarize.chunk-tokens", overlapTokens);
        }
    }

    private static void template(ConfigReader reader, String key, String text, @Nullable String needed) {
        try {
            PromptTemplate template = PromptTemplate.parse(text);
            boolean complete = template.textUses() > 0
                    && (needed == null || template.columns().contains(needed));
            if (!complete) {
                reader.wrong(key, "{text}" + (needed == null ? "" : " and {" + needed + "}"), text);
            }
        } catch (IllegalArgumentException e) {
            reader.problem(key, key + ": " + e.getMessage());
        }
    }

    /// Whether documents may take several rounds.
    public boolean isLong() {
        return strategy != Strategy.SINGLE;
    }

    /// Columns of the input that any of the templates names.
    List<String> columns(PromptRecipe prompt) {
        List<String> columns = new ArrayList<>();
        for (String template : List.of(prompt.template(), combineTemplate(prompt), continueTemplate)) {
            for (String column : PromptTemplate.parse(template).columns()) {
                if (!column.equals(SUMMARY) && !columns.contains(column)) {
                    columns.add(column);
                }
            }
        }
        return columns;
    }

    String combineTemplate(PromptRecipe prompt) {
        return combineTemplate == null ? prompt.template() : combineTemplate;
    }

    /// Every key with its value, as `--config` reads it.
    public Map<String, Object> keys() {
        Map<String, Object> keys = new TreeMap<>();
        keys.put("strategy", word(strategy));
        keys.put("chunk-tokens", chunkTokens);
        keys.put("overlap-tokens", overlapTokens);
        keys.put("carry-tokens", carryTokens);
        keys.put("failed-chunks", word(failedChunks));
        if (combineTemplate != null) {
            keys.put("combine-template", combineTemplate);
        }
        keys.put("continue-template", continueTemplate);
        keys.put("metrics", metrics);
        keys.put("lead-sentences", leadSentences);
        return keys;
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
