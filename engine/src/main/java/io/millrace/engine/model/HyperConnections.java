package io.millrace.engine.model;

import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.kernel.Kernels.HyperSite;
import io.millrace.engine.model.Workspace.Slot;
import io.millrace.engine.tensor.Floats;

/// The residual path: n streams, collapsed before each sub-layer and mixed again after it (deepseek-v4.md
/// section
/// 2.3). There is no other residual addition in the model.
final class HyperConnections {
    private final Kernels kernels;
    private final ModelConfig config;
    private final int n;
    private final int dim;

    HyperConnections(Kernels kernels, ModelConfig config) {
        this.kernels = kernels;
        this.config = config;
        this.n = config.hyperConnections().hcMult();
        this.dim = config.hiddenSize();
    }

    /// The sub-layer's input [rows, D].
    Floats collapse(Workspace workspace, Floats streams, int rows, Weights.HcSite site) {
        Floats collapsed = workspace.take(Slot.COLLAPSED, (long) rows * dim);
        kernels.hyperMix(
                streams,
                rows,
                dim,
                site(site.fn(), site.base(), site.scale()),
                collapsed,
                workspace.take(Slot.POST, (long) rows * n),
                workspace.take(Slot.COMBINE, (long) rows * n * n));
        return collapsed;
    }

    /// Brings the sub-layer's output [rows, D] back into the streams.
    void expand(Workspace workspace, Floats output, Floats streams, int rows) {
        kernels.hyperExpand(
                output,
                workspace.take(Slot.POST, (long) rows * n),
                workspace.take(Slot.COMBINE, (long) rows * n * n),
                rows,
                n,
                dim,
                streams);
    }

    /// The vector before the final norm [rows, D].
    void collapseHead(Floats streams, int rows, Weights.HcHead head, Floats out) {
        kernels.hyperCollapse(streams, rows, dim, site(head.fn(), head.base(), head.scale()), out);
    }

    private HyperSite site(io.millrace.engine.tensor.Matrix fn, Floats base, Floats scale) {
        ModelConfig.HyperConnections hc = config.hyperConnections();
        return new HyperSite(n, fn, base, scale, hc.hcSinkhornIters(), hc.hcEps(), config.rmsNormEps());
    }
}
