package io.millrace.udf.agent;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.udf.EngineProvider;
import io.millrace.udf.EngineRecipe;
import io.millrace.udf.PromptEngine;
import java.nio.file.Path;

/// Opens a {@link Script} in an engine's place: `engine.kind: scripted`, with the script for
/// `engine.model-dir`.
public final class ScriptedEngineProvider implements EngineProvider {
    public static final String KIND = "scripted";

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public PromptEngine open(EngineRecipe recipe) {
        if (recipe.modelDir().contains("://")) {
            throw new EngineException(
                    ErrorCode.BAD_CONFIGURATION,
                    "script: expected a path of the executors' hosts, got " + recipe.modelDir());
        }
        return new ScriptedEngine(Script.read(Path.of(recipe.modelDir())));
    }
}
