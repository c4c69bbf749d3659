package io.millrace.engine.model;

import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.Matrix;
import io.millrace.engine.tensor.Swiglu;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The tensors of a checkpoint, bound once by name and from there on used by field. Matrices stay as stored;
/// vectors are floats on the device. D hidden size, H heads, d head dim, n streams, E experts, I expert
/// inner size, V vocabulary.
///
/// @param embed [V, D]
/// @param head [V, D]
/// @param norm [D]
/// @param hcHead collapses the streams before the final norm
public record Weights(Matrix embed, Matrix head, Floats norm, HcHead hcHead, List<Layer> layers, List<Mtp> mtp) {

    /// One decoder layer.
    ///
    /// @param attnNorm [D]
    /// @param ffnNorm [D]
    public record Layer(
            ModelConfig.Layer config,
            HcSite hcAttn,
            HcSite hcFfn,
            Floats attnNorm,
            Floats ffnNorm,
            Attention attention,
            Moe moe) {}

    /// The mixing weights of one hyper-connection site.
    ///
    /// @param fn [(2+n)n, nD]
    /// @param base [(2+n)n]
    /// @param scale [3]
    public record HcSite(Matrix fn, Floats base, Floats scale) {}

    /// @param fn [n, nD]
    /// @param base [n]
    /// @param scale [1]
    public record HcHead(Matrix fn, Floats base, Floats scale) {}

    /// @param wqA [qLora, D]
    /// @param qNorm [qLora]
    /// @param wqB [H d, qLora]
    /// @param wkv [d, D]
    /// @param kvNorm [d]
    /// @param woA [g oLora, H d / g], rows group-major
    /// @param woB [D, g oLora]
    /// @param sink [H]
    /// @param compressor of CSA and HCA layers
    /// @param indexer of CSA layers
    public record Attention(
            Matrix wqA,
            Floats qNorm,
            Matrix wqB,
            Matrix wkv,
            Floats kvNorm,
            Matrix woA,
            Matrix woB,
            Floats sink,
            @Nullable Compressor compressor,
            @Nullable Indexer indexer) {}

    /// Width w is d for HCA and 2d for CSA (d the compressed row's size).
    ///
    /// @param wkv [w, D]
    /// @param wgate [w, D]
    /// @param ape [ratio, w], added to the gate by position within the window
    /// @param norm [d]
    public record Compressor(Matrix wkv, Matrix wgate, Floats ape, Floats norm) {}

    /// @param wqB [indexHeads indexDim, qLora]
    /// @param weightsProj [indexHeads, D]
    public record Indexer(Matrix wqB, Matrix weightsProj, Compressor compressor) {}

    /// @param gate [E, D]
    /// @param bias [E], of scored layers: added for the choice, not for the weight
    /// @param tid2eid of hash-routed layers
    /// @param shared present if the model has a shared expert
    public record Moe(
            Matrix gate,
            @Nullable Floats bias,
            @Nullable ExpertTable tid2eid,
            ExpertStore experts,
            @Nullable Swiglu shared) {}

    /// Where a layer's routed experts come from. A view is good for the step that asked for it: whether it
    /// is mapped, resident or streamed ahead of use is the store's affair.
    public interface ExpertStore {
        /// Number of experts E.
        int size();

        Swiglu expert(int index);
    }

    /// Experts by token id.
    public interface ExpertTable {
        /// The `slot`-th expert of a token.
        int expert(int tokenId, int slot);
    }

    /// A multi-token prediction block.
    ///
    /// @param eProj [D, D]
    /// @param hProj [D, D]
    /// @param enorm [D]
    /// @param hnorm [D]
    /// @param norm [D]
    public record Mtp(
            Layer layer, Matrix eProj, Matrix hProj, Floats enorm, Floats hnorm, Floats norm, HcHead hcHead) {}
}
