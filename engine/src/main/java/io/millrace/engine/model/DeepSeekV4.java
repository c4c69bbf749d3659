package io.millrace.engine.model;

import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.ExpertLoad;
import io.millrace.engine.cache.CacheShape;
import io.millrace.engine.cache.CompressedCache;
import io.millrace.engine.cache.SequenceCache;
import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.model.ModelConfig.LayerKind;
import io.millrace.engine.model.Workspace.Slot;
import io.millrace.engine.tensor.Floats;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The forward pass: embed, layers, head (deepseek-v4.md section 2.1). Holds no sequence; one thread at a
/// time.
public final class DeepSeekV4 implements LanguageModel {
    private final Kernels kernels;
    private final ModelConfig config;
    private final Weights weights;
    private final CacheShape cacheShape;
    private final RotaryEmbedding slidingRotary;
    private final RotaryEmbedding compressedRotary;
    private final List<Block> blocks = new ArrayList<>();
    private final OutputHead head;
    private final @Nullable MtpBlock mtpBlock;
    private final Workspace workspace;
    private final ExpertCounts experts = new ExpertCounts();

    public DeepSeekV4(Kernels kernels, ModelConfig config, Weights weights, CacheRounding requested) {
        this.kernels = kernels;
        this.config = config;
        this.weights = weights;
        this.cacheShape = Caches.shape(config);
        this.slidingRotary = RotaryEmbedding.sliding(config);
        this.compressedRotary = RotaryEmbedding.compressed(config);
        this.head = new OutputHead(kernels, config, weights, weights.hcHead(), weights.norm());
        this.workspace = new Workspace(kernels);
        CacheRounding rounding = resolve(requested, config);
        for (int i = 0; i < weights.layers().size(); i++) {
            Weights.Layer layer = weights.layers().get(i);
            experts.add(layer.config().index(), config.moe().nRoutedExperts());
            blocks.add(new Block(kernels, config, layer, i, rotary(layer.config()), rounding, experts));
        }
        this.mtpBlock = weights.mtp().isEmpty()
                ? null
                : new MtpBlock(kernels, config, weights, weights.mtp().getFirst(), rounding, workspace);
    }

    private static CacheRounding resolve(CacheRounding requested, ModelConfig config) {
        boolean rounds = requested == CacheRounding.ON || (requested == CacheRounding.AUTO && config.quantized());
        boolean hasIndexer = config.layers().stream().anyMatch(layer -> layer.kind() == LayerKind.CSA);
        int indexDim = config.indexer().indexHeadDim();
        if (rounds && hasIndexer && Integer.bitCount(indexDim) != 1) {
            throw new EngineException(
                    ErrorCode.BAD_CONFIGURATION,
                    "cache rounding: expected index_head_dim to be a power of two, for the Hadamard transform, got "
                            + indexDim);
        }
        return rounds ? CacheRounding.ON : CacheRounding.OFF;
    }

    private RotaryEmbedding rotary(ModelConfig.Layer layer) {
        return layer.kind() == LayerKind.SLIDING ? slidingRotary : compressedRotary;
    }

    @Override
    public ModelConfig config() {
        return config;
    }

    @Override
    public SequenceCache newCache() {
        return new CompressedCache(kernels, cacheShape);
    }

    /// Runs the layers over a step and extends its sequences.
    ///
    /// @return streams [rows, n, D], good until the next call
    @Override
    public Floats forward(Step step) {
        return forward(step, LayerTrace.NONE);
    }

    Floats forward(Step step, LayerTrace trace) {
        int rows = step.rows();
        int n = config.hyperConnections().hcMult();
        Floats streams = workspace.take(Slot.STREAMS, (long) rows * n * config.hiddenSize());
        kernels.embed(weights.embed(), step.tokens(), rows, n, streams);
        Floats sliding = angles(slidingRotary, step, Slot.ANGLES);
        Floats compressed = angles(compressedRotary, step, Slot.COMPRESS_ANGLES);
        for (int i = 0; i < blocks.size(); i++) {
            boolean isSliding = config.layers().get(i).kind() == LayerKind.SLIDING;
            blocks.get(i).apply(workspace, streams, step, isSliding ? sliding : compressed, trace);
        }
        step.advance();
        return streams;
    }

    private Floats angles(RotaryEmbedding rotary, Step step, Slot slot) {
        Floats angles = workspace.take(slot, (long) step.rows() * 2 * rotary.pairs());
        rotary.angles(kernels, step.positions(), step.rows(), angles);
        return angles;
    }

    /// Next-token logits of some rows of a forward pass.
    ///
    /// @param streams as returned by {@link #forward}
    /// @param rows which rows
    /// @return [rows.length, V], good until the next call
    @Override
    public Floats logits(Floats streams, int[] rows) {
        return logits(streams, rows, LayerTrace.NONE);
    }

    Floats logits(Floats streams, int[] rows, LayerTrace trace) {
        return head.logits(workspace, streams, rows, trace);
    }

    /// The first multi-token prediction block (section 4.2); the release has one.
    @Override
    public @Nullable Drafter drafter() {
        return mtpBlock;
    }

    /// Without those of the prediction block.
    @Override
    public ExpertLoad expertLoad() {
        return experts.load();
    }

    @Override
    public void read(Floats source, int offset, float[] target, int count) {
        kernels.read(source, offset, target, 0, count);
    }

    @Override
    public double[] logSumExp(Floats logits, int rows) {
        return kernels.logSumExp(logits, rows, config.vocabSize());
    }

    public CacheShape cacheShape() {
        return cacheShape;
    }
}
