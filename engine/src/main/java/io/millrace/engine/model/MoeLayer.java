package io.millrace.engine.model;

import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.kernel.Kernels.Routing;
import io.millrace.engine.model.Weights.ExpertTable;
import io.millrace.engine.model.Workspace.Slot;
import io.millrace.engine.tensor.Floats;

/// The feed-forward half of a layer: routed experts and the shared one (deepseek-v4.md section 3).
final class MoeLayer {
    private final Kernels kernels;
    private final ModelConfig config;
    private final Weights.Moe weights;
    private final int index;
    private final ExpertCounts counts;

    /// @param index which of the layers that `counts` knows
    MoeLayer(Kernels kernels, ModelConfig config, Weights.Moe weights, int index, ExpertCounts counts) {
        this.kernels = kernels;
        this.config = config;
        this.weights = weights;
        this.index = index;
        this.counts = counts;
    }

    /// @param x normed input [rows, D]
    /// @return [rows, D]
    Floats apply(Workspace workspace, Floats x, Step step) {
        int rows = step.rows();
        ModelConfig.Moe moe = config.moe();
        Floats logits = workspace.take(Slot.ROUTER, (long) rows * moe.nRoutedExperts());
        kernels.matmul(x, rows, weights.gate(), logits);
        Routing routing = route(logits, step);
        counts.count(index, routing, rows);
        Floats out = workspace.take(Slot.SUBLAYER, (long) rows * config.hiddenSize());
        kernels.experts(x, rows, config.hiddenSize(), routing, weights.experts()::expert, moe.swigluLimit(), out);
        if (weights.shared() != null) {
            kernels.addSwiglu(x, rows, weights.shared(), moe.swigluLimit(), out);
        }
        return out;
    }

    private Routing route(Floats logits, Step step) {
        ModelConfig.Moe moe = config.moe();
        int topK = moe.numExpertsPerTok();
        ExpertTable table = weights.tid2eid();
        if (table == null) {
            return kernels.route(
                    logits, step.rows(), moe.nRoutedExperts(), weights.bias(), topK, moe.routedScalingFactor());
        }
        int[] chosen = new int[step.rows() * topK];
        for (int s = 0; s < chosen.length; s++) {
            chosen[s] = table.expert(step.tokens()[s / topK], s % topK);
        }
        return kernels.weigh(logits, step.rows(), moe.nRoutedExperts(), chosen, topK, moe.routedScalingFactor());
    }
}
