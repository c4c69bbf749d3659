package io.millrace.udf;

/// Opens a {@link SayingEngine}.
public final class SayingEngineProvider implements EngineProvider {
    public static final String KIND = "saying";

    /// Requests that such engines of this process have answered.
    public static long answered() {
        return SayingEngine.answered();
    }

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public PromptEngine open(EngineRecipe recipe) {
        return new SayingEngine(recipe);
    }
}
