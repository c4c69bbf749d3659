package io.millrace.engine.model;

import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.model.Workspace.Slot;
import io.millrace.engine.tensor.Floats;

/// Streams to logits: collapsed once more, normed, multiplied (deepseek-v4.md section 2.1, last line).
final class OutputHead {
    private final Kernels kernels;
    private final ModelConfig config;
    private final Weights model;
    private final Weights.HcHead hcHead;
    private final Floats norm;
    private final HyperConnections hyperConnections;

    /// @param norm [D]
    OutputHead(Kernels kernels, ModelConfig config, Weights model, Weights.HcHead hcHead, Floats norm) {
        this.kernels = kernels;
        this.config = config;
        this.model = model;
        this.hcHead = hcHead;
        this.norm = norm;
        this.hyperConnections = new HyperConnections(kernels, config);
    }

    /// @param streams [.., n, D]
    /// @return [rows.length, V]
    Floats logits(Workspace workspace, Floats streams, int[] rows, LayerTrace trace) {
        int dim = config.hiddenSize();
        int width = config.hyperConnections().hcMult() * dim;
        Floats chosen = workspace.take(Slot.HEAD_STREAMS, (long) rows.length * width);
        kernels.gather(streams, rows, width, chosen);
        Floats head = workspace.take(Slot.HEAD, (long) rows.length * dim);
        hyperConnections.collapseHead(chosen, rows.length, hcHead, head);
        trace.head(head);
        kernels.rmsNorm(head, rows.length, dim, norm, config.rmsNormEps(), head);
        Floats logits = workspace.take(Slot.LOGITS, (long) rows.length * config.vocabSize());
        kernels.matmul(head, rows.length, model.head(), logits);
        return logits;
    }
}
