package io.millrace.engine.model;

import io.millrace.engine.model.Weights.ExpertStore;
import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.Matrix;
import io.millrace.engine.tensor.Swiglu;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The tensors of a Qwen3 or Llama. D hidden size, H query heads, K key-value heads, d head dim, E experts, V
/// vocabulary.
///
/// @param embed [V, D]
/// @param head [V, D]; the embedding itself where the two are tied
/// @param norm [D]
public record DecoderWeights(Matrix embed, Matrix head, Floats norm, List<Layer> layers) {
    public DecoderWeights {
        layers = List.copyOf(layers);
    }

    /// @param attnNorm [D]
    /// @param ffnNorm [D]
    public record Layer(Floats attnNorm, Attention attention, Floats ffnNorm, FeedForward feedForward) {
        /// The one unit of a layer without experts.
        Swiglu unit() {
            return ((Dense) feedForward).unit();
        }
    }

    /// @param q [H d, D]
    /// @param k [K d, D]
    /// @param v [K d, D]
    /// @param o [D, H d]
    /// @param headNorms of Qwen3
    public record Attention(
            Matrix q,
            Matrix k,
            Matrix v,
            Matrix o,
            @Nullable HeadNorms headNorms) {}

    /// Norms of every single head of queries and keys.
    ///
    /// @param q [d]
    /// @param k [d]
    public record HeadNorms(Floats q, Floats k) {}

    /// The second half of a layer.
    public sealed interface FeedForward {}

    public record Dense(Swiglu unit) implements FeedForward {}

    /// @param router [E, D]
    public record Sparse(Matrix router, ExpertStore experts) implements FeedForward {}
}
