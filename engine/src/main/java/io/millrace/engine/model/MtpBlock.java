package io.millrace.engine.model;

import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.cache.CompressedCache;
import io.millrace.engine.cache.SequenceCache;
import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.model.Workspace.Slot;
import io.millrace.engine.tensor.Floats;

/// Multi-token prediction (deepseek-v4.md section 4): a sliding layer fed with the main model's streams and
/// the next token; embedding and output head are the main model's.
final class MtpBlock implements Drafter {
    private final Kernels kernels;
    private final ModelConfig config;
    private final Weights model;
    private final Weights.Mtp weights;
    private final Block block;
    private final RotaryEmbedding rotary;
    private final OutputHead head;
    private final Workspace workspace;

    /// @param rounding ON or OFF
    /// @param workspace of the model
    MtpBlock(
            Kernels kernels,
            ModelConfig config,
            Weights model,
            Weights.Mtp weights,
            CacheRounding rounding,
            Workspace workspace) {
        this.kernels = kernels;
        this.config = config;
        this.model = model;
        this.weights = weights;
        this.rotary = RotaryEmbedding.sliding(config);
        this.block = new Block(kernels, config, weights.layer(), 0, rotary, rounding, new ExpertCounts());
        this.head = new OutputHead(kernels, config, model, weights.hcHead(), weights.norm());
        this.workspace = workspace;
    }

    @Override
    public SequenceCache newCache() {
        return new CompressedCache(
                kernels, Caches.mtpShape(config, weights.layer().config()));
    }

    @Override
    public Floats logits(Floats hidden, int[] rows, Step next, int[] wanted) {
        Floats x = input(hidden, rows, next);
        Floats angles = workspace.take(Slot.ANGLES, (long) next.rows() * 2 * rotary.pairs());
        rotary.angles(kernels, next.positions(), next.rows(), angles);
        block.apply(workspace, x, next, angles, LayerTrace.NONE);
        next.advance();
        return head.logits(workspace, x, wanted, LayerTrace.NONE);
    }

    /// `X[k] = e_proj norm(embed) + h_proj norm(streams[k])`.
    private Floats input(Floats streams, int[] chosen, Step next) {
        int rows = next.rows();
        int n = config.hyperConnections().hcMult();
        int dim = config.hiddenSize();
        double eps = config.rmsNormEps();
        Floats normed = workspace.take(Slot.MTP_STREAMS, (long) rows * n * dim);
        // the main streams are the very floats that x will overwrite: take them out of the way first
        kernels.gather(streams, chosen, n * dim, normed);
        kernels.rmsNorm(normed, rows * n, dim, weights.hnorm(), eps, normed);
        Floats x = workspace.take(Slot.STREAMS, (long) rows * n * dim);
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
