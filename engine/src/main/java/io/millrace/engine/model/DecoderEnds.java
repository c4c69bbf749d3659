package io.millrace.engine.model;

import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.model.Workspace.Slot;
import io.millrace.engine.tensor.Floats;

/// What stands before the layers, between them and behind them: embedding and rotary angles, norms, output
/// head.
final class DecoderEnds {
    private final Kernels kernels;
    private final DecoderConfig config;
    private final DecoderWeights weights;
    private final RotaryEmbedding rotary;

    DecoderEnds(Kernels kernels, DecoderConfig config, DecoderWeights weights) {
        this.kernels = kernels;
        this.config = config;
        this.weights = weights;
        this.rotary = RotaryEmbedding.of(config.headDim(), config.rope());
    }

    /// @return [rows, D]
    Floats embed(Workspace workspace, Step step) {
        Floats x = workspace.take(Slot.STREAMS, (long) step.rows() * config.hiddenSize());
        kernels.embed(weights.embed(), step.tokens(), step.rows(), 1, x);
        return x;
    }

    /// @return [rows, d / 2, 2]
    Floats angles(Workspace workspace, Step step) {
        Floats angles = workspace.take(Slot.ANGLES, (long) step.rows() * 2 * rotary.pairs());
        rotary.angles(kernels, step.positions(), step.rows(), angles);
        return angles;
    }

    /// What a sub-layer reads.
    ///
    /// @param x [rows, D]
    /// @return [rows, D], good until the next call
    Floats norm(Workspace workspace, Floats x, int rows, Floats weight) {
        Floats normed = workspace.take(Slot.NORMED, (long) rows * config.hiddenSize());
        kernels.rmsNorm(x, rows, config.hiddenSize(), weight, config.rmsNormEps(), normed);
        return normed;
    }

    /// @param x [.., D]
    /// @return [rows.length, V]
    Floats logits(Workspace workspace, Floats x, int[] rows) {
        Floats head = workspace.take(Slot.HEAD, (long) rows.length * config.hiddenSize());
        kernels.gather(x, rows, config.hiddenSize(), head);
        kernels.rmsNorm(head, rows.length, config.hiddenSize(), weights.norm(), config.rmsNormEps(), head);
        Floats logits = workspace.take(Slot.LOGITS, (long) rows.length * config.vocabSize());
        kernels.matmul(head, rows.length, weights.head(), logits);
        return logits;
    }
}
