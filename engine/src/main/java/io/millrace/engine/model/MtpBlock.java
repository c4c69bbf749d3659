package io.millrace.engine.model;

import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.model.Workspace.Slot;
import io.millrace.engine.tensor.Floats;

/// Multi-token prediction (deepseek-v4.md section 4): a sliding layer fed with the main model's streams and
/// the next token; embedding and output head are the main model's.
final class MtpBlock {
    private final Kernels kernels;
    private final ModelConfig config;
    private final Weights model;
    private final Weights.Mtp weights;
    private final Block block;
    private final HyperConnections hyperConnections;

    MtpBlock(
            Kernels kernels,
            ModelConfig config,
            Weights model,
            Weights.Mtp weights,
            Block block,
            HyperConnections hyperConnections) {
        this.kernels = kernels;
        this.config = config;
        this.model = model;
        this.weights = weights;
        this.block = block;
        this.hyperConnections = hyperConnections;
    }

    Floats logits(Workspace workspace, Floats streams, Step next, Floats angles) {
        int rows = next.rows();
        int dim = config.hiddenSize();
        Floats x = input(workspace, streams, next);
        block.apply(workspace, x, next, angles, LayerTrace.NONE);
        for (Step.Span span : next.spans()) {
            span.cache().advance(span.rows());
        }
        Floats head = workspace.take(Slot.HEAD, (long) rows * dim);
        hyperConnections.collapseHead(x, rows, weights.hcHead(), head);
        kernels.rmsNorm(head, rows, dim, weights.norm(), config.rmsNormEps(), head);
        Floats logits = workspace.take(Slot.LOGITS, (long) rows * config.vocabSize());
        kernels.matmul(head, rows, model.head(), logits);
        return logits;
    }

    /// `X[k] = e_proj norm(embed) + h_proj norm(streams[k])`.
    private Floats input(Workspace workspace, Floats streams, Step next) {
        int rows = next.rows();
        int n = config.hyperConnections().hcMult();
        int dim = config.hiddenSize();
        double eps = config.rmsNormEps();
        Floats normed = workspace.take(Slot.MTP_STREAMS, (long) rows * n * dim);
        Floats x = workspace.take(Slot.STREAMS, (long) rows * n * dim);
        // the main streams may be the very floats that x will overwrite: norm them out of the way first
        kernels.rmsNorm(streams, rows * n, dim, weights.hnorm(), eps, normed);
        kernels.matmul(normed, rows * n, weights.hProj(), x);

        Floats embedded = workspace.take(Slot.MTP_EMBED, (long) rows * n * dim);
        kernels.embed(model.embed(), next.tokens(), rows, n, embedded);
        kernels.rmsNorm(embedded, rows * n, dim, weights.enorm(), eps, embedded);
        Floats projected = workspace.take(Slot.MTP_PROJECTED, (long) rows * n * dim);
        kernels.matmul(embedded, rows * n, weights.eProj(), projected);
        kernels.add(projected, rows * n * dim, x);
        return x;
    }
}
