package io.millrace.udf.shard;

import io.millrace.udf.EngineIdentity;
import io.millrace.udf.EngineRecipe;
import io.millrace.udf.GenerateRecipe;
import io.millrace.udf.agent.RolloutRecipe;
import java.io.Serializable;
import org.jspecify.annotations.Nullable;

/// All that a task needs to know to compute a shard, beside the shard.
///
/// @param engine what every executor's engine must be, so that it does not matter which of them computes a
///     shard
/// @param stallSeconds how long the engine may go without a step while a row waits for it
/// @param rollout how each row is a conversation with tools; null if it is a prompt
public record ShardRecipe(
        GenerateRecipe generate,
        InputRecipe input,
        OutputDir output,
        EngineIdentity engine,
        int stallSeconds,
        @Nullable RolloutRecipe rollout)
        implements Serializable {

    /// The same for executors with another engine.
    public ShardRecipe withEngine(EngineRecipe other, EngineIdentity identity) {
        return new ShardRecipe(generate.withEngine(other), input, output, identity, stallSeconds, rollout);
    }
}
