package io.millrace.udf;

/// As {@link CardEngineProvider} with the model, and kernels of its own choice: a card computes in its own
/// way.
public final class ModelCardEngineProvider extends CardEngineProvider {
    public static final String KIND = "model-card";

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    PromptEngine model(EngineRecipe recipe) {
        return new LocalEngineProvider()
                .open(new EngineRecipe(
                        recipe.kind(),
                        recipe.modelDir(),
                        recipe.modelCache(),
                        "auto",
                        recipe.threads(),
                        recipe.cacheBudgetBytes(),
                        recipe.stepTokens(),
                        recipe.maxRunning(),
                        recipe.cacheRounding(),
                        recipe.prefixSharing(),
                        recipe.speculation()));
    }
}
