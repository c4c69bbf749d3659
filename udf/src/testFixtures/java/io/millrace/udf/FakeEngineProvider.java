package io.millrace.udf;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;

/// Opens a {@link FakeEngine}. A model folder whose name holds `broken` cannot be opened.
public final class FakeEngineProvider implements EngineProvider {
    public static final String KIND = "fake";

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public PromptEngine open(EngineRecipe recipe) {
        if (recipe.modelDir().contains("broken")) {
            throw new EngineException(
                    ErrorCode.MODEL_MISMATCH, "model " + recipe.modelDir() + ": expected a model, got a test");
        }
        return new FakeEngine(recipe);
    }
}
