package io.millrace.jobs.summarize;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.udf.PromptEngine;
import io.millrace.udf.PromptFormat;
import io.millrace.udf.PromptRecipe;
import io.millrace.udf.PromptTemplate;
import io.millrace.udf.SamplingRecipe;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/// The user's turns of a document's requests, and how many tokens they take of a prompt. Confined to one
/// task.
final class Prompts {
    /// Tokens that a prompt may have more than the sum of its parts, since a text is encoded as a whole.
    private static final int SEAM = 4;

    private final SummarizeConfig config;
    private final PromptRecipe recipe;
    private final PromptEngine engine;
    private final int maxTokens;
    private final int summaryTokens;
    private final PromptTemplate plain;
    private final PromptTemplate combine;
    private final PromptTemplate goOn;

    Prompts(SummarizeConfig config, PromptRecipe recipe, SamplingRecipe sampling, PromptEngine engine) {
        this.config = config;
        this.recipe = recipe;
        this.engine = engine;
        plain = PromptTemplate.parse(recipe.template());
        combine = PromptTemplate.parse(config.combineTemplate(recipe));
        goOn = PromptTemplate.parse(config.continueTemplate());
        summaryTokens = sampling.maxTokens();
        int room = Math.max(1, engine.model().maxPositions() - summaryTokens);
        maxTokens = recipe.maxPromptTokens() == 0 ? room : Math.min(recipe.maxPromptTokens(), room);
    }

    int tokens(String text) {
        return engine.encodeText(text).size();
    }

    boolean fits(String user) {
        return size(user) <= maxTokens;
    }

    private int size(String user) {
        return recipe.format() == PromptFormat.RAW
                ? engine.text(user).size()
                : engine.chat(recipe.system(), user, recipe.thinking()).size();
    }

    String plain(String text, Map<String, String> columns) {
        return plain.render(text, valuesOf(columns));
    }

    String combine(String text, Map<String, String> columns) {
        return combine.render(text, valuesOf(columns));
    }

    String goOn(String summary, String text, Map<String, String> columns) {
        Function<String, String> values = valuesOf(columns);
        return goOn.render(text, column -> column.equals(SummarizeConfig.SUMMARY) ? summary : values.apply(column));
    }

    private static Function<String, String> valuesOf(Map<String, String> columns) {
        return column -> Objects.requireNonNull(columns.get(column), column);
    }

    /// Most tokens of the summaries put before a chunk.
    int carryTokens() {
        return switch (config.strategy()) {
            case SINGLE, MAP_REDUCE -> 0;
            case REFINE -> summaryTokens;
            case HIERARCHICAL -> config.carryTokens() == 0 ? summaryTokens : config.carryTokens();
        };
    }

    /// Most tokens of a chunk of a document with these columns: what is asked for, or what the longest
    /// of the templates leaves.
    ///
    /// @throws EngineException BAD_CONFIGURATION if a chunk of that size does not fit
    int chunkTokens(Map<String, String> columns) {
        int frame = Math.max(size(plain("", columns)), size(combine("", columns)));
        if (carryTokens() > 0) {
            frame = Math.max(frame, size(goOn("", "", columns)) + carryTokens());
        }
        int room = maxTokens - frame - SEAM;
        int asked = config.chunkTokens() == 0 ? room : config.chunkTokens();
        if (asked > room || room < 1) {
            throw new EngineException(
                    ErrorCode.BAD_CONFIGURATION,
                    "summarize.chunk-tokens: expected at most " + room + ", what a prompt of " + maxTokens
                            + " tokens has room for beside its template and a summary of what came before, got "
                            + asked);
        }
        return asked;
    }
}
