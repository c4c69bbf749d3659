package io.millrace.engine.model;

import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.cache.CacheShape;
import io.millrace.engine.cache.CompressedCache;
import io.millrace.engine.cache.SequenceCache;
import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.model.ModelConfig.LayerKind;
import io.millrace.engine.model.Workspace.Slot;
import io.millrace.engine.tensor.Floats;
import java.util.ArrayList;
import java.util.List;

/// The forward pass: embed, layers, head (deepseek-v4.md section 2.1). Holds no sequence; one thread at a
/// time.
public final class DeepSeekV4 implements LanguageModel {
    private final Kernels kernels;
    private final ModelConfig config;
    private final Weights weights;
    private final CacheShape cacheShape;
    private final RotaryEmbedding slidingRotary;
    private final RotaryEmbedding compressedRotary;
    private final HyperConnections hyperConnections;
    private final List<Block> blocks = new ArrayList<>();
    private final List<MtpBlock> mtpBlocks = new ArrayList<>();
    private final Workspace workspace;

    public DeepSeekV4(Kernels kernels, ModelConfig config, Weights weights, CacheRounding requested) {
        this.kernels = kernels;
        this.config = config;
        this.weights = weights;
        this.cacheShape = Caches.shape(config);
        this.slidingRotary = RotaryEmbedding.sliding(config);
        this.compressedRotary = RotaryEmbedding.compressed(config);
        this.hyperConnections = new HyperConnections(kernels, config);
        this.workspace = new Workspace(kernels);
        CacheRounding rounding = resolve(requested, config);
        for (int i = 0; i < weights.layers().size(); i++) {
            Weights.Layer layer = weights.layers().get(i);
            blocks.add(new Block(kernels, config, layer, i, rotary(layer.config()), rounding));
        }
        for (int i = 0; i < weights.mtp().size(); i++) {
            Weights.Mtp mtp = weights.mtp().get(i);
            Block block = new Block(kernels, config, mtp.layer(), i, slidingRotary, rounding);
            mtpBlocks.add(new MtpBlock(kernels, config, weights, mtp, block, hyperConnections));
        }
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

    /// An empty sequence of the multi-token prediction blocks.
    public SequenceCache newMtpCache() {
        return new CompressedCache(kernels, Caches.mtpShape(config));
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
        int width = config.hyperConnections().hcMult() * config.hiddenSize();
        Floats chosen = workspace.take(Slot.HEAD_STREAMS, (long) rows.length * width);
        kernels.gather(streams, rows, width, chosen);
        Floats head = workspace.take(Slot.HEAD, (long) rows.length * config.hiddenSize());
        hyperConnections.collapseHead(chosen, rows.length, weights.hcHead(), head);
        trace.head(head);
        kernels.rmsNorm(head, rows.length, config.hiddenSize(), weights.norm(), config.rmsNormEps(), head);
        Floats logits = workspace.take(Slot.LOGITS, (long) rows.length * config.vocabSize());
        kernels.matmul(head, rows.length, weights.head(), logits);
        return logits;
    }

    /// Logits of a multi-token prediction block: row i predicts token i + 2 from the main model's streams at
    /// i and token i + 1 (section 4.2).
    ///
    /// @param block which, usually 0
    /// @param streams of the main model before its head [rows, n, D]
    /// @param next a step of the block's own sequences whose tokens are the main rows' next tokens
    /// @return [rows, V], good until the next call
    public Floats mtpLogits(int block, Floats streams, Step next) {
        return mtpBlocks.get(block).logits(workspace, streams, next, angles(slidingRotary, next, Slot.ANGLES));
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
