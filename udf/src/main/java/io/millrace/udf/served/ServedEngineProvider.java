package io.millrace.udf.served;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.udf.EngineProvider;
import io.millrace.udf.EngineRecipe;
import io.millrace.udf.PromptEngine;
import io.millrace.udf.ServedRecipe;
import java.util.List;

/// Comes to a server as its recipe says, and waits until it answers.
public final class ServedEngineProvider implements EngineProvider {

    @Override
    public String kind() {
        return EngineRecipe.SERVED;
    }

    @Override
    public PromptEngine open(EngineRecipe recipe) {
        return open(recipe, List.of());
    }

    /// A server that is started is told the cards; one that is given has its own.
    @Override
    public PromptEngine open(EngineRecipe recipe, List<String> cards) {
        ServedRecipe served = recipe.served();
        if (served == null) {
            throw new EngineException(
                    ErrorCode.BAD_CONFIGURATION, "engine.kind served: expected a server beside it, got none");
        }
        return ServedEngine.open(recipe, served, cards);
    }
}
