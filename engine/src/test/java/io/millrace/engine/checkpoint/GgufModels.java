package io.millrace.engine.checkpoint;

import io.millrace.engine.Matrices;
import io.millrace.engine.checkpoint.GgufWriter.Tensor;
import io.millrace.engine.model.ModelConfig;
import io.millrace.engine.tensor.DType;
import io.millrace.engine.tensor.Matrix;
import io.millrace.engine.tensor.MatrixRows;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// Models of architecture `deepseek4` for tests, made from safetensors ones. The names are the binder's own;
/// that they are right is what the file written by the gguf package is for.
public final class GgufModels {
    private static final int F32 = 0;
    private static final int I32 = 26;

    private GgufModels() {}

    /// The same model, all F32 but the expert tables.
    public static GgufWriter of(Checkpoint checkpoint) {
        GgufWriter writer = new GgufWriter();
        putKeys(writer.metadata, checkpoint.config());
        putTensors(writer, checkpoint, "", "");
        for (ModelConfig.Layer layer : checkpoint.config().layers()) {
            String source = "layers." + layer.index() + ".";
            String target = GgufNames.layer(layer.index());
            putTensors(writer, checkpoint, source, target);
            for (TensorNames field : List.of(TensorNames.EXPERT_W1, TensorNames.EXPERT_W2, TensorNames.EXPERT_W3)) {
                putExperts(writer, checkpoint, field, source, target);
            }
        }
        return writer;
    }

    /// Replaces every matrix whose rows are whole blocks by random blocks, of one of the formats for each.
    public static void putBlocks(GgufWriter writer, Random random, DType... formats) {
        for (Map.Entry<String, Tensor> entry : writer.tensors.entrySet()) {
            Tensor tensor = entry.getValue();
            DType format = formats[random.nextInt(formats.length)];
            int cols = Math.toIntExact(tensor.shape().getLast());
            if (tensor.type() == F32 && tensor.shape().size() > 1 && cols % format.blockElements() == 0) {
                Matrix matrix = Matrices.blocks(random, format, tensor.data().length / Float.BYTES / cols, cols);
                byte[] data = matrix.data().toArray(ValueLayout.JAVA_BYTE);
                entry.setValue(new Tensor(number(format), tensor.shape(), data));
            }
        }
    }

    /// The same model with all blocks decoded.
    public static GgufWriter decoded(GgufWriter blocks) {
        GgufWriter plain = new GgufWriter();
        plain.metadata.putAll(blocks.metadata);
        blocks.tensors.forEach((name, tensor) -> plain.tensors.put(name, decoded(tensor)));
        return plain;
    }

    private static Tensor decoded(Tensor tensor) {
        if (tensor.type() == F32 || tensor.type() == I32) {
            return tensor;
        }
        DType format = DType.valueOf(String.valueOf(GgufType.of(tensor.type())));
        int cols = Math.toIntExact(tensor.shape().getLast());
        int rows = Math.toIntExact(tensor.data().length / format.bytes(cols));
        Matrix matrix =
                new Matrix("", format, rows, cols, java.lang.foreign.MemorySegment.ofArray(tensor.data()), null);
        ByteBuffer values = ByteBuffer.allocate(rows * cols * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int row = 0; row < rows; row++) {
            for (int col = 0; col < cols; col++) {
                values.putFloat(MatrixRows.value(matrix, row, col));
            }
        }
        return new Tensor(F32, tensor.shape(), values.array());
    }

    private static int number(DType format) {
        return switch (format) {
            case Q4_0 -> 2;
            case Q8_0 -> 8;
            case Q4_K -> 12;
            case Q6_K -> 14;
            case MXFP4 -> 39;
            default -> throw new IllegalArgumentException(format + " is no block format");
        };
    }

    private static void putTensors(GgufWriter writer, Checkpoint checkpoint, String source, String target) {
        for (TensorNames field : TensorNames.values()) {
            StoredTensor stored = checkpoint.tensor(field.candidates(source).getFirst());
            if (stored != null) {
                writer.tensors.put(GgufNames.of(field, target).getFirst(), tensor(stored));
            }
        }
    }

    private static Tensor tensor(StoredTensor stored) {
        byte[] data = stored.data().toArray(ValueLayout.JAVA_BYTE);
        if (stored.type() != SafetensorsType.I64) {
            return new Tensor(F32, stored.shape(), data);
        }
        ByteBuffer wide = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer narrow = ByteBuffer.allocate(data.length / 2).order(ByteOrder.LITTLE_ENDIAN);
        while (wide.hasRemaining()) {
            narrow.putInt((int) wide.getLong());
        }
        return new Tensor(I32, stored.shape(), narrow.array());
    }

    private static void putExperts(
            GgufWriter writer, Checkpoint checkpoint, TensorNames field, String source, String target) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        List<Long> shape = new ArrayList<>();
        int experts = checkpoint.config().moe().nRoutedExperts();
        for (int expert = 0; expert < experts; expert++) {
            StoredTensor stored =
                    checkpoint.tensor(field.candidates(source, expert).getFirst());
            all.writeBytes(stored.data().toArray(ValueLayout.JAVA_BYTE));
            shape = new ArrayList<>(stored.shape());
        }
        shape.addFirst((long) experts);
        writer.tensors.put(GgufNames.of(field, target).getFirst(), new Tensor(F32, shape, all.toByteArray()));
    }

    private static void putKeys(Map<String, Object> metadata, ModelConfig config) {
        metadata.put("general.architecture", "deepseek4");
        ModelConfig.Attention attention = config.attention();
        Map<String, Object> keys = new java.util.LinkedHashMap<>();
        keys.put("block_count", config.numHiddenLayers());
        keys.put("context_length", config.maxPositionEmbeddings());
        keys.put("embedding_length", config.hiddenSize());
        keys.put("vocab_size", config.vocabSize());
        keys.put("attention.head_count", attention.numAttentionHeads());
        keys.put("attention.head_count_kv", 1);
        keys.put("attention.key_length", attention.headDim());
        keys.put("attention.value_length", attention.headDim());
        keys.put("attention.layer_norm_rms_epsilon", (float) config.rmsNormEps());
        keys.put("attention.q_lora_rank", attention.qLoraRank());
        keys.put("attention.output_lora_rank", attention.oLoraRank());
        keys.put("attention.output_group_count", attention.oGroups());
        keys.put("attention.sliding_window", attention.slidingWindow());
        keys.put(
                "attention.compress_ratios",
                config.layers().stream().map(ModelConfig.Layer::compressRatio).toList());
        keys.put("attention.compress_rope_freq_base", (float) config.rope().compressRopeTheta());
        keys.put("attention.indexer.head_count", config.indexer().indexNHeads());
        keys.put("attention.indexer.key_length", config.indexer().indexHeadDim());
        keys.put("attention.indexer.top_k", config.indexer().indexTopk());
        keys.put("rope.dimension_count", attention.qkRopeHeadDim());
        keys.put("rope.freq_base", (float) config.rope().ropeTheta());
        ModelConfig.Yarn yarn = config.rope().yarn();
        keys.put("rope.scaling.type", "yarn");
        keys.put("rope.scaling.factor", (float) yarn.factor());
        keys.put("rope.scaling.original_context_length", yarn.originalMaxPositionEmbeddings());
        keys.put("rope.scaling.yarn_beta_fast", (float) yarn.betaFast());
        keys.put("rope.scaling.yarn_beta_slow", (float) yarn.betaSlow());
        keys.put("expert_count", config.moe().nRoutedExperts());
        keys.put("expert_used_count", config.moe().numExpertsPerTok());
        keys.put("expert_shared_count", config.moe().nSharedExperts());
        keys.put("expert_feed_forward_length", config.moe().moeIntermediateSize());
        keys.put("expert_weights_scale", (float) config.moe().routedScalingFactor());
        keys.put("expert_weights_norm", true);
        keys.put("expert_gating_func", 4);
        keys.put("hash_layer_count", (int)
                config.layers().stream().filter(ModelConfig.Layer::hashRouted).count());
        keys.put("hyper_connection.count", config.hyperConnections().hcMult());
        keys.put(
                "hyper_connection.sinkhorn_iterations",
                config.hyperConnections().hcSinkhornIters());
        keys.put("hyper_connection.epsilon", (float) config.hyperConnections().hcEps());
        Float limit = (float) config.moe().swigluLimit();
        keys.put(
                "swiglu_clamp_exp", config.layers().stream().map(layer -> limit).toList());
        keys.forEach((key, value) -> metadata.put("deepseek4." + key, value));
    }

    /// A vocabulary of the bytes, and two merges.
    public static void putTokenizer(GgufWriter model) {
        List<String> tokens = new ArrayList<>();
        int moved = 256;
        for (int value = 0; value < 256; value++) {
            boolean shown = value > ' ' && value < 127 || value > 160 && value != 173;
            tokens.add(String.valueOf((char) (shown ? value : moved++)));
        }
        tokens.addAll(List.of("ab", "\u0120ab", "\u0120a"));
        model.metadata.put("tokenizer.ggml.model", "gpt2");
        model.metadata.put("tokenizer.ggml.pre", "qwen2");
        model.metadata.put("tokenizer.ggml.tokens", tokens);
        model.metadata.put("tokenizer.ggml.merges", List.of("a b", "\u0120 ab"));
    }
}
