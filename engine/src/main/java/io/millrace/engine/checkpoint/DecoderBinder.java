package io.millrace.engine.checkpoint;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.checkpoint.DecoderNames.Scheme;
import io.millrace.engine.model.DecoderConfig;
import io.millrace.engine.model.DecoderWeights;
import io.millrace.engine.model.LlamaConfig;
import io.millrace.engine.model.Qwen3Config;
import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.Matrix;
import io.millrace.engine.tensor.Swiglu;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Binds the tensors of Qwen3 and Llama, from a Hugging Face folder or a GGUF file: each is checked once.
/// Matrices stay where they are mapped.
public final class DecoderBinder {
    private static final String PREFIX = "model.";

    private final TensorSource tensors;
    private final Scheme scheme;
    private final DecoderConfig config;
    private final @Nullable Qwen3Config qwen3;

    private DecoderBinder(TensorSource tensors, Scheme scheme, DecoderConfig config, @Nullable Qwen3Config qwen3) {
        this.tensors = tensors;
        this.scheme = scheme;
        this.config = config;
        this.qwen3 = qwen3;
    }

    /// @throws EngineException MODEL_MISMATCH with all that does not fit, each with tensor, expected, got and
    ///     file; the first twenty are told, the others counted
    public static DecoderWeights bind(Checkpoint checkpoint, Qwen3Config config) {
        return bind(checkpoint, config.decoder(), config);
    }

    /// @throws EngineException as above
    public static DecoderWeights bind(Checkpoint checkpoint, LlamaConfig config) {
        return bind(checkpoint, config.decoder(), null);
    }

    private static DecoderWeights bind(Checkpoint checkpoint, DecoderConfig config, @Nullable Qwen3Config qwen3) {
        Scheme scheme = checkpoint.metadata() == null ? Scheme.HUGGING_FACE : Scheme.GGUF;
        TensorSource source = checkpoint.source();
        DecoderBinder binder = new DecoderBinder(source, scheme, config, qwen3);
        DecoderWeights weights = binder.weights();
        if (source.has(List.of(GgufDecoder.ROPE_DIVISORS))) {
            // used already, by the configuration
            source.floats(List.of(GgufDecoder.ROPE_DIVISORS), config.headDim() / 2);
        }
        source.check();
        source.logUnused();
        return weights;
    }

    private DecoderWeights weights() {
        int hidden = config.hiddenSize();
        Matrix embed = matrix(DecoderNames.EMBED, 0, config.vocabSize(), hidden);
        boolean tied = config.tieWordEmbeddings() && !tensors.has(names(DecoderNames.HEAD.in(scheme, 0)));
        Matrix head = tied ? embed : matrix(DecoderNames.HEAD, 0, config.vocabSize(), hidden);
        List<DecoderWeights.Layer> layers = new ArrayList<>();
        for (int layer = 0; layer < config.numHiddenLayers(); layer++) {
            layers.add(new DecoderWeights.Layer(
                    floats(DecoderNames.ATTN_NORM, layer, hidden),
                    attention(layer),
                    floats(DecoderNames.FFN_NORM, layer, hidden),
                    feedForward(layer)));
        }
        return new DecoderWeights(embed, head, floats(DecoderNames.NORM, 0, hidden), layers);
    }

    private DecoderWeights.Attention attention(int layer) {
        int hidden = config.hiddenSize();
        long queries = (long) config.numAttentionHeads() * config.headDim();
        long keys = (long) config.numKeyValueHeads() * config.headDim();
        return new DecoderWeights.Attention(
                matrix(DecoderNames.Q, layer, queries, hidden),
                matrix(DecoderNames.K, layer, keys, hidden),
                matrix(DecoderNames.V, layer, keys, hidden),
                matrix(DecoderNames.O, layer, hidden, queries),
                qwen3 == null
                        ? null
                        : new DecoderWeights.HeadNorms(
                                floats(DecoderNames.Q_NORM, layer, config.headDim()),
                                floats(DecoderNames.K_NORM, layer, config.headDim())));
    }

    private DecoderWeights.FeedForward feedForward(int layer) {
        int hidden = config.hiddenSize();
        Qwen3Config.Moe moe = qwen3 != null && qwen3.isSparse(layer) ? qwen3.moe() : null;
        if (moe != null) {
            return new DecoderWeights.Sparse(
                    matrix(DecoderNames.ROUTER, layer, moe.numExperts(), hidden),
                    new MappedExperts(experts(layer, moe.numExperts(), moe.moeIntermediateSize())));
        }
        int inner = config.intermediateSize();
        return new DecoderWeights.Dense(new Swiglu(
                matrix(DecoderNames.GATE, layer, inner, hidden),
                matrix(DecoderNames.UP, layer, inner, hidden),
                matrix(DecoderNames.DOWN, layer, hidden, inner)));
    }

    private List<Swiglu> experts(int layer, int count, int inner) {
        if (scheme == Scheme.GGUF) {
            return stackedExperts(layer, count, inner);
        }
        return tensors.has(names(DecoderNames.FUSED_GATE_UP.in(scheme, layer)))
                ? fusedExperts(layer, count, inner)
                : singleExperts(layer, count, inner);
    }

    private List<Swiglu> singleExperts(int layer, int count, int inner) {
        int hidden = config.hiddenSize();
        List<Swiglu> experts = new ArrayList<>();
        for (int e = 0; e < count; e++) {
            experts.add(new Swiglu(
                    tensors.matrix(names(DecoderNames.EXPERT_GATE.in(scheme, layer, e)), inner, hidden),
                    tensors.matrix(names(DecoderNames.EXPERT_UP.in(scheme, layer, e)), inner, hidden),
                    tensors.matrix(names(DecoderNames.EXPERT_DOWN.in(scheme, layer, e)), hidden, inner)));
        }
        return experts;
    }

    private List<Swiglu> stackedExperts(int layer, int count, int inner) {
        List<Matrix> gates = matrices(DecoderNames.EXPERT_GATE, layer, count, inner, config.hiddenSize());
        List<Matrix> ups = matrices(DecoderNames.EXPERT_UP, layer, count, inner, config.hiddenSize());
        List<Matrix> downs = matrices(DecoderNames.EXPERT_DOWN, layer, count, config.hiddenSize(), inner);
        return zip(gates, ups, downs);
    }

    /// Gate and up as one tensor [E, 2I, D], the gate's rows first, and down [E, D, I].
    private List<Swiglu> fusedExperts(int layer, int count, int inner) {
        List<Matrix> both = matrices(DecoderNames.FUSED_GATE_UP, layer, count, 2 * inner, config.hiddenSize());
        List<Matrix> downs = matrices(DecoderNames.FUSED_DOWN, layer, count, config.hiddenSize(), inner);
        return zip(
                both.stream().map(m -> m.slice(m.name() + ".gate", 0, inner)).toList(),
                both.stream()
                        .map(m -> m.slice(m.name() + ".up", inner, 2 * inner))
                        .toList(),
                downs);
    }

    /// Empty where a fault has been written down.
    private static List<Swiglu> zip(List<Matrix> gates, List<Matrix> ups, List<Matrix> downs) {
        List<Swiglu> experts = new ArrayList<>();
        for (int e = 0; e < Math.min(gates.size(), Math.min(ups.size(), downs.size())); e++) {
            experts.add(new Swiglu(gates.get(e), ups.get(e), downs.get(e)));
        }
        return experts;
    }

    /// Empty where a fault has been written down.
    private List<Matrix> matrices(DecoderNames field, int layer, int parts, int rows, long cols) {
        Matrix all = tensors.stacked(names(field.in(scheme, layer)), parts, rows, cols, sliceRows(field, rows));
        List<Matrix> matrices = new ArrayList<>();
        for (int part = 0; part < parts && all.rows() > 0; part++) {
            matrices.add(all.slice(all.name() + "[" + part + "]", part * rows, (part + 1) * rows));
        }
        return matrices;
    }

    /// A fused tensor's matrices are halved again.
    private static int sliceRows(DecoderNames field, int rows) {
        return field == DecoderNames.FUSED_GATE_UP ? rows / 2 : rows;
    }

    private Matrix matrix(DecoderNames field, int layer, long rows, long cols) {
        return tensors.matrix(names(field.in(scheme, layer)), rows, cols);
    }

    private Floats floats(DecoderNames field, int layer, long... shape) {
        return tensors.floats(names(field.in(scheme, layer)), shape);
    }

    /// In a folder the prefix `model.` may be missing.
    private List<String> names(String name) {
        boolean prefixed = scheme == Scheme.HUGGING_FACE && name.startsWith(PREFIX);
        return prefixed ? List.of(name, name.substring(PREFIX.length())) : List.of(name);
    }
}
