package io.millrace.jobs.bench;

import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.model.ModelConfig;
import io.millrace.engine.model.ModelConfig.LayerKind;
import io.millrace.engine.model.Weights;
import io.millrace.engine.tensor.Bf16;
import io.millrace.engine.tensor.DType;
import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.Matrix;
import io.millrace.engine.tensor.Swiglu;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.IntStream;

/// A DeepSeek-V4 of any size without a checkpoint: matrices in bfloat16 whose products keep the size of
/// what they multiply, norms of one. The same configuration gives the same weights.
final class RandomWeights {
    private final Kernels kernels;
    private final ModelConfig config;
    private final Arena arena;
    private final RandomGenerator random =
            RandomGeneratorFactory.of("L64X128MixRandom").create(20261122);

    private RandomWeights(Kernels kernels, ModelConfig config, Arena arena) {
        this.kernels = kernels;
        this.config = config;
        this.arena = arena;
    }

    /// @param arena owns the matrices
    static Weights of(Kernels kernels, ModelConfig config, Arena arena) {
        return new RandomWeights(kernels, config, arena).weights();
    }

    private Weights weights() {
        int hidden = config.hiddenSize();
        int streams = config.hyperConnections().hcMult();
        return new Weights(
                matrix(config.vocabSize(), hidden),
                matrix(config.vocabSize(), hidden),
                ones(hidden),
                new Weights.HcHead(matrix(streams, streams * hidden), floats(streams), ones(1)),
                config.layers().stream().map(this::layer).toList(),
                List.of());
    }

    private Weights.Layer layer(ModelConfig.Layer layer) {
        return new Weights.Layer(
                layer, site(), site(), ones(config.hiddenSize()), ones(config.hiddenSize()), attention(layer), moe());
    }

    private Weights.HcSite site() {
        int mixes = config.hyperConnections().mixes();
        return new Weights.HcSite(
                matrix(mixes, config.hyperConnections().hcMult() * config.hiddenSize()), floats(mixes), ones(3));
    }

    private Weights.Attention attention(ModelConfig.Layer layer) {
        ModelConfig.Attention sizes = config.attention();
        int hidden = config.hiddenSize();
        int heads = sizes.numAttentionHeads() * sizes.headDim();
        return new Weights.Attention(
                matrix(sizes.qLoraRank(), hidden),
                ones(sizes.qLoraRank()),
                matrix(heads, sizes.qLoraRank()),
                matrix(sizes.headDim(), hidden),
                ones(sizes.headDim()),
                matrix(sizes.oGroups() * sizes.oLoraRank(), heads / sizes.oGroups()),
                matrix(hidden, sizes.oGroups() * sizes.oLoraRank()),
                floats(sizes.numAttentionHeads()),
                layer.kind() == LayerKind.SLIDING ? null : compressor(layer, sizes.headDim()),
                layer.kind() == LayerKind.CSA ? indexer(layer) : null);
    }

    private Weights.Compressor compressor(ModelConfig.Layer layer, int dim) {
        int width = layer.kind() == LayerKind.CSA ? 2 * dim : dim;
        return new Weights.Compressor(
                matrix(width, config.hiddenSize()),
                matrix(width, config.hiddenSize()),
                floats(layer.compressRatio() * width),
                ones(dim));
    }

    private Weights.Indexer indexer(ModelConfig.Layer layer) {
        ModelConfig.Indexer sizes = config.indexer();
        return new Weights.Indexer(
                matrix(
                        sizes.indexNHeads() * sizes.indexHeadDim(),
                        config.attention().qLoraRank()),
                matrix(sizes.indexNHeads(), config.hiddenSize()),
                compressor(layer, sizes.indexHeadDim()));
    }

    private Weights.Moe moe() {
        int experts = config.moe().nRoutedExperts();
        List<Swiglu> routed =
                IntStream.range(0, experts).mapToObj(expert -> swiglu()).toList();
        return new Weights.Moe(
                matrix(experts, config.hiddenSize()), floats(experts), null, new Resident(routed), swiglu());
    }

    private Swiglu swiglu() {
        int inner = config.moe().moeIntermediateSize();
        return new Swiglu(
                matrix(inner, config.hiddenSize()),
                matrix(inner, config.hiddenSize()),
                matrix(config.hiddenSize(), inner));
    }

    private record Resident(List<Swiglu> experts) implements Weights.ExpertStore {
        @Override
        public int size() {
            return experts.size();
        }

        @Override
        public Swiglu expert(int index) {
            return experts.get(index);
        }
    }

    private Matrix matrix(int rows, int cols) {
        MemorySegment data = arena.allocate(2L * rows * cols, Long.BYTES);
        for (long i = 0; i < (long) rows * cols; i++) {
            // uniform, of variance 1 / cols
            float value = (float) ((2 * random.nextFloat() - 1) * Math.sqrt(3.0 / cols));
            data.setAtIndex(ValueLayout.JAVA_SHORT, i, Bf16.encode(value));
        }
        return new Matrix("random", DType.BF16, rows, cols, data, null);
    }

    private Floats floats(int size) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = random.nextFloat() - 0.5f;
        }
        return kernels.upload(values);
    }

    private Floats ones(int size) {
        float[] values = new float[size];
        java.util.Arrays.fill(values, 1);
        return kernels.upload(values);
    }
}
