package io.millrace.engine.kernel;

import io.millrace.engine.kernel.Kernels.CausalSpan;
import io.millrace.engine.kernel.Kernels.KeyValueShape;
import io.millrace.engine.kernel.Kernels.PooledSpan;
import io.millrace.engine.kernel.Kernels.WindowSpan;
import io.millrace.engine.tensor.Floats;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// How a ring attends. A query's sums run over its own keys in an order that their positions alone decide.
interface AttentionKernels {
    /// See {@link Kernels#indexTopK}.
    int[][] indexTopK(
            WorkerPool pool, float[] q, float[] headWeights, int heads, int dim, List<PooledSpan> spans, int topK);

    /// See {@link Kernels#attend}.
    void attend(
            WorkerPool pool,
            float[] q,
            Floats keyValue,
            int heads,
            int dim,
            List<WindowSpan> spans,
            int @Nullable [][] chosen,
            float[] sink,
            float scale,
            float[] out);

    /// See {@link Kernels#keep}.
    void keep(WorkerPool pool, float[] keys, float[] values, KeyValueShape shape, List<CausalSpan> spans);

    /// See {@link Kernels#attendCausal}.
    void attendCausal(
            WorkerPool pool,
            float[] q,
            int heads,
            KeyValueShape shape,
            List<CausalSpan> spans,
            float scale,
            float[] out);

    /// Gives back what is not the heap's.
    default void close() {}
}
