package io.millrace.udf;

/// Opens a {@link ScriptedEngine}.
public final class ScriptedEngineProvider implements EngineProvider {
    public static final String KIND = "scripted";

    /// Requests that such engines of this process have answered.
    public static long answered() {
        return ScriptedEngine.answered();
    }

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public PromptEngine open(EngineRecipe recipe) {
        return new ScriptedEngine(recipe);
    }
}
