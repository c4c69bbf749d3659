package io.millrace.udf;

import io.millrace.engine.LocalEngine;
import io.millrace.engine.api.EngineConfig;
import java.nio.file.Path;

/// Runs the model in the executor itself. A recipe's zeros become what this process has.
public final class LocalEngineProvider implements EngineProvider {

    @Override
    public String kind() {
        return EngineRecipe.LOCAL;
    }

    @Override
    public PromptEngine open(EngineRecipe recipe) {
        return new LocalPromptEngine(LocalEngine.open(config(recipe)), Path.of(recipe.modelDir()));
    }

    private static EngineConfig config(EngineRecipe recipe) {
        EngineConfig machine = EngineConfig.of(Path.of(recipe.modelDir()));
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
