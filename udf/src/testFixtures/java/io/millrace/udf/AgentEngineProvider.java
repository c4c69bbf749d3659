package io.millrace.udf;

/// Opens an {@link AgentEngine}.
public final class AgentEngineProvider implements EngineProvider {
    public static final String KIND = "agent";

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public PromptEngine open(EngineRecipe recipe) {
        return new AgentEngine(recipe);
    }
}
