package io.millrace.udf;

import java.util.List;

/// Takes accelerator cards for an executor. Found by {@link java.util.ServiceLoader} on the executor, since
/// what knows a kind of card depends on no Spark, and this module on no kind of card.
public interface CardProvider {

    /// The names that Spark's resource of these cards may have.
    List<String> resources();

    /// Takes a group of cards for this process; waits for a while if none is free.
    ///
    /// @throws io.millrace.engine.api.EngineException DEVICE_FAILED if there is none,
    ///     BAD_CONFIGURATION if the locks cannot be used
    CardLease lease(CardRequest request);
}
