package io.millrace.engine.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.checkpoint.SafetensorsWriter.Tensor;
import io.millrace.engine.tensor.Fp4;
import io.millrace.engine.tensor.Fp8;
import io.millrace.engine.tensor.Rounding;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/// Makes small models with random weights and the release's tensor names, of any dimensions and layer mix.
/// The same settings and seed give the same bytes. Fields are settings with working defaults; set them, then
/// {@link #write}.
public final class RandomCheckpoint {
    /// How matrices are stored.
    public enum Format {
        F32,
        BF16,
        /// FP8 with power-of-two scales for blocks of 128 x 128, routed experts in FP4.
        RELEASE,
        /// FP8 with F32 scales for blocks of 128 x 128, routed experts too.
        BASE
    }

    public long seed = 1;
    public Format format = Format.F32;
    public int vocabSize = 64;
    public int hiddenSize = 32;
    public int numAttentionHeads = 4;
    public int headDim = 16;
    public int qkRopeHeadDim = 8;
    public int qLoraRank = 16;
    public int oGroups = 2;
    public int oLoraRank = 8;
    public int slidingWindow = 16;
    /// One for each decoder layer.
    public int[] compressRatios = {0, 4, 128};
    public int indexNHeads = 4;
    public int indexHeadDim = 16;
    public int indexTopk = 6;
    public int nRoutedExperts = 8;
    public int nSharedExperts = 1;
    public int numExpertsPerTok = 2;
    public int moeIntermediateSize = 16;
    public double routedScalingFactor = 1.5;
    public double swigluLimit = 1;
    public int numHashLayers = 1;
    public int hcMult = 4;
    public int hcSinkhornIters = 20;
    public int mtpLayers = 0;
    public int maxPositionEmbeddings = 4096;
    public double yarnFactor = 16;
    public int originalMaxPositionEmbeddings = 64;
    public boolean tieWordEmbeddings = false;

    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    private RandomGenerator random = generator(1);

    /// Writes config.json and model.safetensors.
    ///
    /// @param dir an existing folder
    /// @return the folder
    public Path write(Path dir) {
        write(dir, config(), tensors());
        return dir;
    }

    /// Writes a model of one file from parts that a test may have changed.
    public static void write(Path dir, ObjectNode config, Map<String, Tensor> tensors) {
        try {
            Files.createDirectories(dir);
            Files.writeString(dir.resolve("config.json"), config.toPrettyString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        SafetensorsWriter.write(dir.resolve("model.safetensors"), tensors);
    }

    /// The configuration in DeepSeek's words.
    public ObjectNode config() {
        ObjectNode config = new ObjectMapper().createObjectNode();
        config.putArray("architectures").add("DeepseekV4ForCausalLM");
        config.put("model_type", "deepseek_v4");
        config.put("vocab_size", vocabSize);
        config.put("hidden_size", hiddenSize);
        config.put("num_hidden_layers", compressRatios.length);
        config.put("num_attention_heads", numAttentionHeads);
        config.put("num_key_value_heads", 1);
        config.put("head_dim", headDim);
        config.put("qk_rope_head_dim", qkRopeHeadDim);
        config.put("q_lora_rank", qLoraRank);
        config.put("o_groups", oGroups);
        config.put("o_lora_rank", oLoraRank);
        config.put("sliding_window", slidingWindow);
        ArrayNode ratios = config.putArray("compress_ratios");
        for (int ratio : compressRatios) {
            ratios.add(ratio);
        }
        for (int block = 0; block < mtpLayers; block++) {
            ratios.add(0);
        }
        config.put("index_n_heads", indexNHeads);
        config.put("index_head_dim", indexHeadDim);
        config.put("index_topk", indexTopk);
        config.put("n_routed_experts", nRoutedExperts);
        config.put("n_shared_experts", nSharedExperts);
        config.put("num_experts_per_tok", numExpertsPerTok);
        config.put("moe_intermediate_size", moeIntermediateSize);
        config.put("routed_scaling_factor", routedScalingFactor);
        config.put("scoring_func", "sqrtsoftplus");
        config.put("topk_method", "noaux_tc");
        config.put("norm_topk_prob", true);
        config.put("num_hash_layers", numHashLayers);
        config.put("swiglu_limit", swigluLimit);
        config.put("hc_mult", hcMult);
        config.put("hc_sinkhorn_iters", hcSinkhornIters);
        config.put("hc_eps", 1e-6);
        config.put("rms_norm_eps", 1e-6);
        config.put("rope_theta", 10000);
        config.put("compress_rope_theta", 160000);
        ObjectNode scaling = config.putObject("rope_scaling");
        scaling.put("type", "yarn");
        scaling.put("factor", yarnFactor);
        scaling.put("beta_fast", 32);
        scaling.put("beta_slow", 1);
        scaling.put("original_max_position_embeddings", originalMaxPositionEmbeddings);
        config.put("max_position_embeddings", maxPositionEmbeddings);
        config.put("bos_token_id", 0);
        config.put("eos_token_id", 1);
        config.put("hidden_act", "silu");
        config.put("tie_word_embeddings", tieWordEmbeddings);
        config.put("num_nextn_predict_layers", mtpLayers);
        if (format == Format.RELEASE || format == Format.BASE) {
            ObjectNode quantization = config.putObject("quantization_config");
            quantization.put("quant_method", "fp8");
            quantization.put("fmt", "e4m3");
            quantization.putArray("weight_block_size").add(128).add(128);
        }
        return config;
    }

    /// The tensors by name.
    public Map<String, Tensor> tensors() {
        tensors.clear();
        random = generator(seed);
        plain("embed.weight", vocabSize, hiddenSize, 1);
        if (!tieWordEmbeddings) {
            plain("head.weight", vocabSize, hiddenSize, scaleFor(hiddenSize));
        }
        norm("norm.weight", hiddenSize);
        hcHead("");
        for (int layer = 0; layer < compressRatios.length; layer++) {
            layer("layers." + layer + ".", compressRatios[layer], layer < numHashLayers);
        }
        for (int block = 0; block < mtpLayers; block++) {
            mtp("mtp." + block + ".");
        }
        return new LinkedHashMap<>(tensors);
    }

    private void mtp(String prefix) {
        layer(prefix, 0, false);
        quantized(prefix + "e_proj", hiddenSize, hiddenSize);
        quantized(prefix + "h_proj", hiddenSize, hiddenSize);
        norm(prefix + "enorm.weight", hiddenSize);
        norm(prefix + "hnorm.weight", hiddenSize);
        norm(prefix + "norm.weight", hiddenSize);
        hcHead(prefix);
    }

    private void layer(String prefix, int ratio, boolean hashRouted) {
        hcSite(prefix + "hc_attn_");
        hcSite(prefix + "hc_ffn_");
        norm(prefix + "attn_norm.weight", hiddenSize);
        norm(prefix + "ffn_norm.weight", hiddenSize);
        int heads = numAttentionHeads * headDim;
        quantized(prefix + "attn.wq_a", qLoraRank, hiddenSize);
        norm(prefix + "attn.q_norm.weight", qLoraRank);
        quantized(prefix + "attn.wq_b", heads, qLoraRank);
        quantized(prefix + "attn.wkv", headDim, hiddenSize);
        norm(prefix + "attn.kv_norm.weight", headDim);
        quantized(prefix + "attn.wo_a", oGroups * oLoraRank, heads / oGroups);
        quantized(prefix + "attn.wo_b", hiddenSize, oGroups * oLoraRank);
        floats(prefix + "attn.attn_sink", 0, 1, numAttentionHeads);
        if (ratio > 0) {
            compressor(prefix + "attn.compressor.", ratio, headDim);
        }
        if (ratio == 4) {
            quantized(prefix + "attn.indexer.wq_b", indexNHeads * indexHeadDim, qLoraRank);
            plain(prefix + "attn.indexer.weights_proj.weight", indexNHeads, hiddenSize, scaleFor(hiddenSize));
            compressor(prefix + "attn.indexer.compressor.", ratio, indexHeadDim);
        }
        moe(prefix + "ffn.", hashRouted);
    }

    private void compressor(String prefix, int ratio, int rowDim) {
        int width = ratio == 4 ? 2 * rowDim : rowDim;
        plain(prefix + "wkv.weight", width, hiddenSize, scaleFor(hiddenSize));
        plain(prefix + "wgate.weight", width, hiddenSize, scaleFor(hiddenSize));
        floats(prefix + "ape", 0, 0.5, ratio, width);
        norm(prefix + "norm.weight", rowDim);
    }

    private void moe(String prefix, boolean hashRouted) {
        plain(prefix + "gate.weight", nRoutedExperts, hiddenSize, scaleFor(hiddenSize));
        if (hashRouted) {
            tensors.put(prefix + "gate.tid2eid", Tensor.i64(expertTable(), vocabSize, numExpertsPerTok));
        } else {
            floats(prefix + "gate.bias", 0, 0.1, nRoutedExperts);
        }
        for (int expert = 0; expert < nRoutedExperts; expert++) {
            String name = prefix + "experts." + expert;
            expertMatrix(name + ".w1", moeIntermediateSize, hiddenSize);
            expertMatrix(name + ".w2", hiddenSize, moeIntermediateSize);
            expertMatrix(name + ".w3", moeIntermediateSize, hiddenSize);
        }
        if (nSharedExperts > 0) {
            quantized(prefix + "shared_experts.w1", moeIntermediateSize, hiddenSize);
            quantized(prefix + "shared_experts.w2", hiddenSize, moeIntermediateSize);
            quantized(prefix + "shared_experts.w3", moeIntermediateSize, hiddenSize);
        }
    }

    /// Distinct experts for each token.
    private long[] expertTable() {
        long[] table = new long[vocabSize * numExpertsPerTok];
        for (int token = 0; token < vocabSize; token++) {
            int first = random.nextInt(nRoutedExperts);
            for (int slot = 0; slot < numExpertsPerTok; slot++) {
                table[token * numExpertsPerTok + slot] = ((long) first + slot) % nRoutedExperts;
            }
        }
        return table;
    }

    private void hcSite(String prefix) {
        int mixes = (2 + hcMult) * hcMult;
        floats(prefix + "fn", 0, scaleFor(hcMult * hiddenSize), mixes, hcMult * hiddenSize);
        floats(prefix + "base", 0, 0.5, mixes);
        floats(prefix + "scale", 1, 0.2, 3);
    }

    private void hcHead(String prefix) {
        floats(prefix + "hc_head_fn", 0, scaleFor(hcMult * hiddenSize), hcMult, hcMult * hiddenSize);
        floats(prefix + "hc_head_base", 0, 0.5, hcMult);
        floats(prefix + "hc_head_scale", 1, 0.2, 1);
    }

    private void norm(String name, int size) {
        float[] values = gaussians(size, 1, 0.1);
        tensors.put(name, format == Format.F32 ? Tensor.f32(values, size) : Tensor.bf16(values, size));
    }

    private void floats(String name, double mean, double deviation, int... shape) {
        int size = 1;
        long[] extents = new long[shape.length];
        for (int axis = 0; axis < shape.length; axis++) {
            extents[axis] = shape[axis];
            size *= shape[axis];
        }
        tensors.put(name, Tensor.f32(gaussians(size, mean, deviation), extents));
    }

    /// A matrix the release keeps in BF16.
    private void plain(String name, int rows, int cols, double deviation) {
        float[] values = gaussians(rows * cols, 0, deviation);
        tensors.put(name, format == Format.F32 ? Tensor.f32(values, rows, cols) : Tensor.bf16(values, rows, cols));
    }

    /// A matrix the release keeps in FP8.
    private void quantized(String name, int rows, int cols) {
        float[] values = gaussians(rows * cols, 0, scaleFor(cols));
        switch (format) {
            case F32 -> tensors.put(name + ".weight", Tensor.f32(values, rows, cols));
            case BF16 -> tensors.put(name + ".weight", Tensor.bf16(values, rows, cols));
            case RELEASE, BASE -> fp8(name, values, rows, cols);
        }
    }

    /// A matrix the release keeps in FP4.
    private void expertMatrix(String name, int rows, int cols) {
        if (format == Format.RELEASE) {
            fp4(name, gaussians(rows * cols, 0, scaleFor(cols)), rows, cols);
        } else {
            quantized(name, rows, cols);
        }
    }

    private void fp8(String name, float[] values, int rows, int cols) {
        int blockCols = Math.ceilDiv(cols, 128);
        int blocks = Math.ceilDiv(rows, 128) * blockCols;
        float[] amplitudes = new float[blocks];
        for (int i = 0; i < values.length; i++) {
            int block = i / cols / 128 * blockCols + i % cols / 128;
            amplitudes[block] = Math.max(amplitudes[block], Math.abs(values[i]));
        }
        float[] scales = new float[blocks];
        for (int block = 0; block < blocks; block++) {
            scales[block] = format == Format.BASE ? amplitudes[block] / Fp8.MAX : Rounding.fp8Scale(amplitudes[block]);
        }
        byte[] codes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            codes[i] = Fp8.encode(values[i] / scales[i / cols / 128 * blockCols + i % cols / 128]);
        }
        tensors.put(name + ".weight", new Tensor("F8_E4M3", new long[] {rows, cols}, codes));
        long[] shape = {Math.ceilDiv(rows, 128), blockCols};
        tensors.put(
                name + ".scale",
                format == Format.BASE ? Tensor.f32(scales, shape) : new Tensor("F8_E8M0", shape, exponents(scales)));
    }

    private void fp4(String name, float[] values, int rows, int cols) {
        int blockCols = Math.ceilDiv(cols, 32);
        float[] scales = new float[rows * blockCols];
        for (int i = 0; i < values.length; i++) {
            int block = i / cols * blockCols + i % cols / 32;
            scales[block] = Math.max(scales[block], Math.abs(values[i]));
        }
        for (int block = 0; block < scales.length; block++) {
            scales[block] = Rounding.fp4Scale(scales[block]);
        }
        int rowBytes = Math.ceilDiv(cols, 2);
        byte[] packed = new byte[rows * rowBytes];
        for (int i = 0; i < values.length; i++) {
            int col = i % cols;
            int code = Fp4.encode(values[i] / scales[i / cols * blockCols + col / 32]);
            packed[i / cols * rowBytes + col / 2] |= (byte) (col % 2 == 0 ? code : code << 4);
        }
        tensors.put(name + ".weight", new Tensor("I8", new long[] {rows, rowBytes}, packed));
        tensors.put(name + ".scale", new Tensor("F8_E8M0", new long[] {rows, blockCols}, exponents(scales)));
    }

    private static byte[] exponents(float[] powers) {
        byte[] exponents = new byte[powers.length];
        for (int i = 0; i < powers.length; i++) {
            exponents[i] = (byte) (Math.getExponent(powers[i]) + 127);
        }
        return exponents;
    }

    private float[] gaussians(int count, double mean, double deviation) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian(mean, deviation);
        }
        return values;
    }

    private static double scaleFor(int inputs) {
        return 1 / Math.sqrt(inputs);
    }

    private static RandomGenerator generator(long seed) {
        return RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    }
}
