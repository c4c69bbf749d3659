package io.millrace.engine.checkpoint;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.model.ModelConfig;
import io.millrace.engine.model.ModelConfig.LayerKind;
import io.millrace.engine.model.Weights;
import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.Matrix;
import io.millrace.engine.tensor.Swiglu;
import java.util.ArrayList;
import java.util.List;

/// Binds a checkpoint's tensors to the fields of {@link Weights}: every tensor's presence, shape and element
/// type is checked here, once. Matrices stay where they are mapped and die with the checkpoint; vectors
/// become floats.
///
/// How a matrix is stored is read off its tensor: plain F32, BF16 or F16; F8_E4M3 with block scales in
/// F8_E8M0 (release) or F32 (base models); FP4 packed into bytes; in GGUF any block format known here.
/// Prediction blocks (`mtp.N`) are bound if the checkpoint has them and the configuration counts them, so
/// there may be fewer than `config.mtpLayers()`.
public final class WeightBinder {
    private static final System.Logger LOG = System.getLogger(WeightBinder.class.getName());

    private final ModelConfig config;
    private final TensorSource source;
    private final Checkpoint checkpoint;
    private final boolean gguf;

    private WeightBinder(Checkpoint checkpoint, ModelConfig config) {
        this.checkpoint = checkpoint;
        this.config = config;
        this.source = checkpoint.source();
        this.gguf = checkpoint.metadata() != null;
    }

    /// Binds all tensors.
    ///
    /// @param config what the tensors have to fit, usually `checkpoint.config()`
    /// @throws EngineException MODEL_MISMATCH with all that does not fit, each with tensor, expected, got
    ///     and file; the first twenty are told, the others counted
    public static Weights bind(Checkpoint checkpoint, ModelConfig config) {
        WeightBinder binder = new WeightBinder(checkpoint, config);
        Weights weights = binder.weights();
        binder.source.check();
        binder.source.logUnused();
        return weights;
    }

    private Weights weights() {
        Matrix embed = matrix(TensorNames.EMBED, "", config.vocabSize(), config.hiddenSize());
        boolean tied = checkpoint.tieWordEmbeddings() && !source.has(names(TensorNames.HEAD, ""));
        Matrix head = tied ? embed : matrix(TensorNames.HEAD, "", config.vocabSize(), config.hiddenSize());
        List<Weights.Layer> layers = new ArrayList<>();
        for (ModelConfig.Layer layer : config.layers()) {
            layers.add(layer(gguf ? GgufNames.layer(layer.index()) : "layers." + layer.index() + ".", layer));
        }
        return new Weights(
                embed, head, floats(TensorNames.NORM, "", config.hiddenSize()), hcHead(""), List.copyOf(layers), mtp());
    }

    private List<Weights.Mtp> mtp() {
        if (config.mtpLayers().isEmpty() || hasDraftStages()) {
            return List.of();
        }
        List<Weights.Mtp> blocks = new ArrayList<>();
        for (ModelConfig.Layer layer : config.mtpLayers()) {
            String prefix = "mtp." + blocks.size() + ".";
            if (!isPresent(prefix)) {
                break;
            }
            blocks.add(mtpBlock(prefix, layer));
        }
        return List.copyOf(blocks);
    }

    private boolean isPresent(String prefix) {
        return checkpoint.tensors().stream()
                .anyMatch(tensor ->
                        tensor.name().startsWith(prefix) || tensor.name().startsWith("model." + prefix));
    }

    private boolean hasDraftStages() {
        boolean draftStages = checkpoint.tensors().stream().anyMatch(tensor -> TensorNames.isDraftStage(tensor.name()));
        if (draftStages) {
            LOG.log(
                    System.Logger.Level.INFO,
                    "{0}: its mtp blocks are DSpark drafting stages; they are left out, the model is whole without them",
                    checkpoint.path());
        }
        return draftStages;
    }

    private Weights.Mtp mtpBlock(String prefix, ModelConfig.Layer layer) {
        int hidden = config.hiddenSize();
        return new Weights.Mtp(
                layer(prefix, layer),
                matrix(TensorNames.E_PROJ, prefix, hidden, hidden),
                matrix(TensorNames.H_PROJ, prefix, hidden, hidden),
                floats(TensorNames.ENORM, prefix, hidden),
                floats(TensorNames.HNORM, prefix, hidden),
                floats(TensorNames.NORM, prefix, hidden),
                hcHead(prefix));
    }

    private Weights.Layer layer(String prefix, ModelConfig.Layer layer) {
        return new Weights.Layer(
                layer,
                hcSite(prefix, TensorNames.HC_ATTN_FN, TensorNames.HC_ATTN_BASE, TensorNames.HC_ATTN_SCALE),
                hcSite(prefix, TensorNames.HC_FFN_FN, TensorNames.HC_FFN_BASE, TensorNames.HC_FFN_SCALE),
                floats(TensorNames.ATTN_NORM, prefix, config.hiddenSize()),
                floats(TensorNames.FFN_NORM, prefix, config.hiddenSize()),
                attention(prefix, layer),
                moe(prefix, layer));
    }

    private Weights.HcSite hcSite(String prefix, TensorNames fn, TensorNames base, TensorNames scale) {
        int mixes = config.hyperConnections().mixes();
        return new Weights.HcSite(
                matrix(fn, prefix, mixes, streamsWidth()), floats(base, prefix, mixes), floats(scale, prefix, 3));
    }

    private Weights.HcHead hcHead(String prefix) {
        int streams = config.hyperConnections().hcMult();
        return new Weights.HcHead(
                matrix(TensorNames.HC_HEAD_FN, prefix, streams, streamsWidth()),
                floats(TensorNames.HC_HEAD_BASE, prefix, streams),
                floats(TensorNames.HC_HEAD_SCALE, prefix, 1));
    }

    private long streamsWidth() {
        return (long) config.hyperConnections().hcMult() * config.hiddenSize();
    }

    private Weights.Attention attention(String prefix, ModelConfig.Layer layer) {
        ModelConfig.Attention attention = config.attention();
        long hidden = config.hiddenSize();
        long heads = (long) attention.numAttentionHeads() * attention.headDim();
        long groupRanks = (long) attention.oGroups() * attention.oLoraRank();
        return new Weights.Attention(
                matrix(TensorNames.WQ_A, prefix, attention.qLoraRank(), hidden),
                floats(TensorNames.Q_NORM, prefix, attention.qLoraRank()),
                matrix(TensorNames.WQ_B, prefix, heads, attention.qLoraRank()),
                matrix(TensorNames.WKV, prefix, attention.headDim(), hidden),
                floats(TensorNames.KV_NORM, prefix, attention.headDim()),
                matrix(TensorNames.WO_A, prefix, groupRanks, heads / attention.oGroups()),
                matrix(TensorNames.WO_B, prefix, hidden, groupRanks),
                floats(TensorNames.SINK, prefix, attention.numAttentionHeads()),
                layer.kind() == LayerKind.SLIDING ? null : mainCompressor(prefix, layer),
                layer.kind() == LayerKind.CSA ? indexer(prefix, layer) : null);
    }

    private Weights.Compressor mainCompressor(String prefix, ModelConfig.Layer layer) {
        int rowDim = config.attention().headDim();
        long width = layer.kind() == LayerKind.CSA ? 2L * rowDim : rowDim;
        return new Weights.Compressor(
                matrix(TensorNames.COMPRESSOR_WKV, prefix, width, config.hiddenSize()),
                matrix(TensorNames.COMPRESSOR_WGATE, prefix, width, config.hiddenSize()),
                floats(TensorNames.COMPRESSOR_APE, prefix, layer.compressRatio(), width),
                floats(TensorNames.COMPRESSOR_NORM, prefix, rowDim));
    }

    private Weights.Indexer indexer(String prefix, ModelConfig.Layer layer) {
        ModelConfig.Indexer indexer = config.indexer();
        int rowDim = indexer.indexHeadDim();
        long width = 2L * rowDim;
        Weights.Compressor compressor = new Weights.Compressor(
                matrix(TensorNames.INDEXER_WKV, prefix, width, config.hiddenSize()),
                matrix(TensorNames.INDEXER_WGATE, prefix, width, config.hiddenSize()),
                floats(TensorNames.INDEXER_APE, prefix, layer.compressRatio(), width),
                floats(TensorNames.INDEXER_NORM, prefix, rowDim));
        long heads = (long) indexer.indexNHeads() * rowDim;
        return new Weights.Indexer(
                matrix(
                        TensorNames.INDEXER_WQ_B,
                        prefix,
                        heads,
                        config.attention().qLoraRank()),
                matrix(TensorNames.INDEXER_WEIGHTS_PROJ, prefix, indexer.indexNHeads(), config.hiddenSize()),
                compressor);
    }

    private Weights.Moe moe(String prefix, ModelConfig.Layer layer) {
        ModelConfig.Moe moe = config.moe();
        int experts = moe.nRoutedExperts();
        return new Weights.Moe(
                matrix(TensorNames.GATE, prefix, experts, config.hiddenSize()),
                layer.hashRouted() ? null : floats(TensorNames.GATE_BIAS, prefix, experts),
                layer.hashRouted() ? expertTable(prefix) : null,
                experts(prefix),
                moe.nSharedExperts() == 0 ? null : sharedExpert(prefix));
    }

    private Weights.ExpertTable expertTable(String prefix) {
        return source.expertTable(
                names(TensorNames.TID2EID, prefix),
                config.vocabSize(),
                config.moe().numExpertsPerTok(),
                config.moe().nRoutedExperts());
    }

    private Swiglu sharedExpert(String prefix) {
        long inner = config.moe().moeIntermediateSize();
        return new Swiglu(
                matrix(TensorNames.SHARED_W1, prefix, inner, config.hiddenSize()),
                matrix(TensorNames.SHARED_W3, prefix, inner, config.hiddenSize()),
                matrix(TensorNames.SHARED_W2, prefix, config.hiddenSize(), inner));
    }

    private Weights.ExpertStore experts(String prefix) {
        List<Swiglu> experts;
        if (gguf) {
            experts = stackedExperts(prefix);
        } else if (source.has(TensorNames.FUSED_GATE_UP.candidates(prefix))) {
            experts = fusedExperts(prefix);
        } else {
            experts = singleExperts(prefix);
        }
        return new MappedExperts(experts);
    }

    /// GGUF's form: [E, I, D] for gate and up, [E, D, I] for down.
    private List<Swiglu> stackedExperts(String prefix) {
        int hidden = config.hiddenSize();
        int inner = config.moe().moeIntermediateSize();
        Matrix gate = stacked(TensorNames.EXPERT_W1, prefix, inner, hidden);
        Matrix up = stacked(TensorNames.EXPERT_W3, prefix, inner, hidden);
        Matrix down = stacked(TensorNames.EXPERT_W2, prefix, hidden, inner);
        if (gate.rows() == 0 || up.rows() == 0 || down.rows() == 0) {
            return List.of();
        }
        List<Swiglu> experts = new ArrayList<>();
        for (int expert = 0; expert < config.moe().nRoutedExperts(); expert++) {
            experts.add(new Swiglu(slice(gate, expert, inner), slice(up, expert, inner), slice(down, expert, hidden)));
        }
        return experts;
    }

    private Matrix stacked(TensorNames field, String prefix, int rows, int cols) {
        return source.stacked(names(field, prefix), config.moe().nRoutedExperts(), rows, cols, rows);
    }

    private static Matrix slice(Matrix stacked, int expert, int rows) {
        return stacked.slice(stacked.name() + "[" + expert + "]", expert * rows, (expert + 1) * rows);
    }

    private List<Swiglu> singleExperts(String prefix) {
        long hidden = config.hiddenSize();
        long inner = config.moe().moeIntermediateSize();
        List<Swiglu> experts = new ArrayList<>();
        for (int expert = 0; expert < config.moe().nRoutedExperts(); expert++) {
            experts.add(new Swiglu(
                    source.matrix(TensorNames.EXPERT_W1.candidates(prefix, expert), inner, hidden),
                    source.matrix(TensorNames.EXPERT_W3.candidates(prefix, expert), inner, hidden),
                    source.matrix(TensorNames.EXPERT_W2.candidates(prefix, expert), hidden, inner)));
        }
        return experts;
    }

    /// Hugging Face's form: [E, 2I, D] with the gate's rows above the up rows, and [E, D, I].
    private List<Swiglu> fusedExperts(String prefix) {
        int count = config.moe().nRoutedExperts();
        int hidden = config.hiddenSize();
        int inner = config.moe().moeIntermediateSize();
        Matrix gateUp = source.stacked(TensorNames.FUSED_GATE_UP.candidates(prefix), count, 2L * inner, hidden, inner);
        Matrix down = source.stacked(TensorNames.FUSED_DOWN.candidates(prefix), count, hidden, inner, hidden);
        if (gateUp.rows() == 0 || down.rows() == 0) {
            return List.of();
        }
        List<Swiglu> experts = new ArrayList<>();
        for (int expert = 0; expert < count; expert++) {
            int gate = 2 * inner * expert;
            int up = gate + inner;
            experts.add(new Swiglu(
                    gateUp.slice(sliceName(gateUp, expert, "gate"), gate, up),
                    gateUp.slice(sliceName(gateUp, expert, "up"), up, up + inner),
                    down.slice(sliceName(down, expert, "down"), hidden * expert, hidden * (expert + 1))));
        }
        return experts;
    }

    private static String sliceName(Matrix fused, int expert, String part) {
        return fused.name() + "[" + expert + "]." + part;
    }

    private Matrix matrix(TensorNames field, String prefix, long rows, long cols) {
        return source.matrix(names(field, prefix), rows, cols);
    }

    private Floats floats(TensorNames field, String prefix, long... shape) {
        return source.floats(names(field, prefix), shape);
    }

    private List<String> names(TensorNames field, String prefix) {
        return gguf ? GgufNames.of(field, prefix) : field.candidates(prefix);
    }
}
