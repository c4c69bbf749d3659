package io.millrace.udf;

import io.millrace.engine.LocalEngine;
import io.millrace.engine.api.EngineConfig;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkEnv;
import org.apache.spark.deploy.SparkHadoopUtil;

/// Runs the model in the executor itself, from this host's disk: on the card that the executor holds,
/// else on its processors. A recipe's zeros become what this process has.
public final class LocalEngineProvider implements EngineProvider {

    @Override
    public String kind() {
        return EngineRecipe.LOCAL;
    }

    @Override
    public PromptEngine open(EngineRecipe recipe) {
        return open(recipe, List.of());
    }

    @Override
    public PromptEngine open(EngineRecipe recipe, List<String> cards) {
        String ring = cards.isEmpty() ? recipe.ring() : ringOnCard(recipe, cards);
        Path model = model(recipe);
        return new LocalPromptEngine(LocalEngine.open(config(recipe, ring, model)), model);
    }

    /// Where the model is on this host's disk, copied there if need be.
    public static Path model(EngineRecipe recipe) {
        return ModelCache.local(recipe.modelDir(), Path.of(recipe.modelCache()), hadoop());
    }

    /// A ring's name with the card in it.
    private static String ringOnCard(EngineRecipe recipe, List<String> cards) {
        String ring = recipe.ring();
        boolean onCards = recipe.isOnCards();
        if (cards.size() > 1 || (!onCards && !ring.equals(EngineRecipe.AUTO))) {
            throw new EngineException(
                    ErrorCode.BAD_CONFIGURATION,
                    "cards " + cards + ": expected one card and engine.ring auto, npu or npu:CHOICE, got engine.ring "
                            + ring + "; several cards compute through engine.kind served");
        }
        return EngineRecipe.CARDS + ":" + cards.getFirst()
                + (onCards ? ring.substring(EngineRecipe.CARDS.length()) : "");
    }

    /// With the executor's settings of file systems; what a plain program has where there is no Spark.
    private static Configuration hadoop() {
        SparkEnv spark = SparkEnv.get();
        return spark == null ? new Configuration() : SparkHadoopUtil.get().newConfiguration(spark.conf());
    }

    private static EngineConfig config(EngineRecipe recipe, String ring, Path model) {
        EngineConfig machine = EngineConfig.of(model);
        return new EngineConfig(
                machine.modelDir(),
                ring,
                recipe.threads() == 0 ? machine.threads() : recipe.threads(),
                recipe.cacheBudgetBytes() == 0 ? machine.cacheBudgetBytes() : recipe.cacheBudgetBytes(),
                recipe.stepTokens(),
                recipe.maxRunning(),
                recipe.cacheRounding(),
                recipe.prefixSharing(),
                recipe.speculation());
    }
}
