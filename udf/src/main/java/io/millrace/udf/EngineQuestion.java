package io.millrace.udf;

import org.apache.spark.api.java.function.Function;

/// Asks an executor what its engine is; waits until it is open.
public final class EngineQuestion implements Function<String, String> {
    private static final long serialVersionUID = 1L;

    private final EngineRecipe recipe;

    public EngineQuestion(EngineRecipe recipe) {
        this.recipe = recipe;
    }

    /// @return {@link EngineIdentity#toJson}
    @Override
    public String call(String nothing) {
        try (ExecutorEngine.Lease lease = ExecutorEngine.ofThisProcess().lease(recipe)) {
            return lease.engine().identity().toJson();
        }
    }
}
