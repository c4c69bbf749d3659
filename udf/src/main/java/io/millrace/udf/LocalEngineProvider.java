package io.millrace.udf;

import io.millrace.engine.LocalEngine;
import io.millrace.engine.api.EngineConfig;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkEnv;
import org.apache.spark.deploy.SparkHadoopUtil;

/// Runs the model in the executor itself, from this host's disk. A recipe's zeros become what this process has.
public final class LocalEngineProvider implements EngineProvider {

    @Override
    public String kind() {
        return EngineRecipe.LOCAL;
    }

    @Override
    public PromptEngine open(EngineRecipe recipe) {
        Path model = ModelCache.local(recipe.modelDir(), Path.of(recipe.modelCache()), hadoop());
        return new LocalPromptEngine(LocalEngine.open(config(recipe, model)), model);
    }

    /// With the executor's settings of file systems; what a plain program has where there is no Spark.
    private static Configuration hadoop() {
        SparkEnv spark = SparkEnv.get();
        return spark == null ? new Configuration() : SparkHadoopUtil.get().newConfiguration(spark.conf());
    }

    private static EngineConfig config(EngineRecipe recipe, Path model) {
        EngineConfig machine = EngineConfig.of(model);
        return new EngineConfig(
                machine.modelDir(),
                recipe.ring(),
                recipe.threads() == 0 ? machine.threads() : recipe.threads(),
                recipe.cacheBudgetBytes() == 0 ? machine.cacheBudgetBytes() : recipe.cacheBudgetBytes(),
                recipe.stepTokens(),
                recipe.maxRunning(),
                recipe.cacheRounding(),
                recipe.prefixSharing(),
                recipe.speculation());
    }
}
