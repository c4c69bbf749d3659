package io.millrace.jobs.plan;

import io.millrace.engine.api.EngineStats;
import io.millrace.udf.EngineRecipe;
import io.millrace.udf.ExecutorEngine;
import org.apache.spark.api.java.function.Function;

/// Asks an executor how many steps its engine has done, and how many prompt tokens and others went through
/// them.
record StepsQuestion(EngineRecipe recipe) implements Function<String, String> {

    /// Counters since the engine was opened.
    ///
    /// @param steps forward passes
    /// @param computed tokens of prompts that went through them
    /// @param decoded other tokens that did
    record Steps(long steps, long computed, long decoded) {

        Steps since(Steps before) {
            return new Steps(steps - before.steps, computed - before.computed, decoded - before.decoded);
        }

        static Steps of(String text) {
            String[] words = text.split(" ", 3);
            return new Steps(Long.parseLong(words[0]), Long.parseLong(words[1]), Long.parseLong(words[2]));
        }
    }

    /// @return as {@link Steps#of} reads it
    @Override
    public String call(String nothing) {
        try (ExecutorEngine.Lease lease = ExecutorEngine.ofThisProcess().lease(recipe)) {
            EngineStats stats = lease.engine().stats();
            long computed = stats.promptTokens() - stats.cachedTokens();
            return stats.steps() + " " + computed + " " + Math.max(0, stats.stepTokens() - computed);
        }
    }
}
