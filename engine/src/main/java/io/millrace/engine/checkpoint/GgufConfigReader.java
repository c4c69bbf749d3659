package io.millrace.engine.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.model.ModelConfig;
import io.millrace.engine.model.ModelConfig.LayerKind;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Predicate;

/// Reads the metadata of a GGUF file of architecture `deepseek4`, bounded as a config.json is; all problems
/// are told in one message.
///
/// Cached rows are not rounded unless asked for (`quantized` is false): no key speaks of it, and llama.cpp
/// rotates index rows but rounds nothing. Engines that share a file are to agree about it.
final class GgufConfigReader {
    /// The architecture's name.
    static final String ARCHITECTURE = "deepseek4";

    // llama.cpp's number for sqrt(softplus)
    private static final int SQRT_SOFTPLUS = 4;

    private final GgufMetadata metadata;
    private final ConfigFields fields;
    private final Predicate<String> hasTensor;

    private GgufConfigReader(GgufMetadata metadata, Predicate<String> hasTensor) {
        this.metadata = metadata;
        this.fields = metadata.fields(ARCHITECTURE + ".");
        this.hasTensor = hasTensor;
    }

    /// @param hasTensor tells whether a tensor of that name is in the file
    /// @throws EngineException MODEL_MISMATCH if it does not describe a model of this family
    static StorageConfig read(GgufMetadata metadata, Predicate<String> hasTensor) {
        GgufConfigReader reader = new GgufConfigReader(metadata, hasTensor);
        ModelConfig model = reader.model();
        List<String> problems = reader.fields.problems();
        if (!problems.isEmpty()) {
            throw new EngineException(
                    ErrorCode.MODEL_MISMATCH,
                    metadata.file() + ": " + problems.size() + (problems.size() == 1 ? " problem: " : " problems: ")
                            + String.join("; ", problems));
        }
        return new StorageConfig(model, false, ModelConfigReader.DEFAULT_BLOCK, ModelConfigReader.DEFAULT_BLOCK);
    }

    private ModelConfig model() {
        fields.mustBeIfPresent("attention.head_count_kv", 1);
        fields.mustBeIfPresent("expert_gating_func", SQRT_SOFTPLUS);
        fields.mustBeIfPresent("expert_weights_norm", true);
        List<ModelConfig.Layer> layers = layers();
        boolean compressed = layers.stream().anyMatch(layer -> layer.compressRatio() > 0);
        boolean indexed = layers.stream().anyMatch(layer -> layer.kind() == LayerKind.CSA);
        ModelConfig.Attention attention = attention();
        return new ModelConfig(
                vocabSize(),
                fields.requiredInt("embedding_length", 1, ModelConfigReader.MAX_WIDTH),
                layers,
                List.of(),
                attention,
                indexer(indexed, attention),
                moe(),
                new ModelConfig.HyperConnections(
                        fields.requiredInt("hyper_connection.count", 1, 16),
                        fields.requiredInt("hyper_connection.sinkhorn_iterations", 1, 1000),
                        fields.requiredDouble("hyper_connection.epsilon", 0, 1)),
                rope(compressed),
                fields.requiredDouble("attention.layer_norm_rms_epsilon", 1e-30, 1),
                fields.requiredInt("context_length", 1, 1 << 30),
                tokenId("tokenizer.ggml.bos_token_id"),
                tokenId("tokenizer.ggml.eos_token_id"),
                false);
    }

    private int vocabSize() {
        int tokens = metadata.texts("tokenizer.ggml.tokens").size();
        return tokens > 0 && !fields.has("vocab_size") ? tokens : fields.requiredInt("vocab_size", 1, 1 << 24);
    }

    private List<ModelConfig.Layer> layers() {
        int blocks = fields.requiredInt("block_count", 1, ModelConfigReader.MAX_LAYERS);
        int count = blocks - predictionBlocks(blocks);
        int hashLayers = fields.optionalInt("hash_layer_count", 0, 0, count);
        List<ModelConfig.Layer> layers = new ArrayList<>();
        JsonNode ratios = fields.node("attention.compress_ratios");
        if (ratios == null || !ratios.isArray() || ratios.size() < count) {
            fields.problem(
                    "attention.compress_ratios",
                    "a list of at least block_count (" + count + ") numbers",
                    ratios == null ? "nothing" : ConfigFields.shown(ratios));
            return layers;
        }
        for (int layer = 0; layer < count; layer++) {
            layers.add(layer(layer, ratios.get(layer), layer < hashLayers));
        }
        return layers;
    }

    private ModelConfig.Layer layer(int index, JsonNode stored, boolean hashRouted) {
        String key = "attention.compress_ratios[" + index + "]";
        int ratio = fields.intOf(key, stored, 0, ModelConfigReader.MAX_RATIO);
        if (ratio == 1) {
            fields.problem(key, "0 or at least 2", 1);
        }
        return new ModelConfig.Layer(index, ModelConfigReader.kindOf(ratio), ratio, hashRouted);
    }

    /// Blocks at the end that predict further tokens and are left out. They are counted as blocks only in
    /// files that have them.
    private int predictionBlocks(int blocks) {
        int count = fields.optionalInt("nextn_predict_layers", 0, 0, blocks - 1);
        return hasTensor.test(GgufNames.layer(blocks - count) + "nextn.eh_proj.weight") ? count : 0;
    }

    private ModelConfig.Attention attention() {
        int heads = fields.requiredInt("attention.head_count", 1, 4096);
        int headDim = fields.requiredInt("attention.key_length", 2, 8192);
        fields.mustBeIfPresent("attention.value_length", headDim);
        int groups = fields.requiredInt("attention.output_group_count", 1, 4096);
        if (heads % groups != 0) {
            fields.problem("attention.output_group_count", "a divisor of attention.head_count (" + heads + ")", groups);
        }
        int rotated = fields.requiredInt("rope.dimension_count", 2, 8192);
        if (rotated % 2 != 0 || rotated > headDim) {
            fields.problem(
                    "rope.dimension_count", "an even number up to attention.key_length (" + headDim + ")", rotated);
        }
        return new ModelConfig.Attention(
                heads,
                headDim,
                rotated,
                fields.requiredInt("attention.q_lora_rank", 1, ModelConfigReader.MAX_WIDTH),
                groups,
                fields.requiredInt("attention.output_lora_rank", 1, ModelConfigReader.MAX_WIDTH),
                fields.requiredInt("attention.sliding_window", 1, 1 << 20));
    }

    private ModelConfig.Indexer indexer(boolean indexed, ModelConfig.Attention attention) {
        String keyLength = "attention.indexer.key_length";
        int headDim = indexed ? fields.requiredInt(keyLength, 2, 8192) : fields.optionalInt(keyLength, 1, 1, 8192);
        if (indexed && headDim < attention.qkRopeHeadDim()) {
            fields.problem(keyLength, "at least rope.dimension_count (" + attention.qkRopeHeadDim() + ")", headDim);
        }
        return new ModelConfig.Indexer(
                neededInt("attention.indexer.head_count", indexed, 4096),
                headDim,
                neededInt("attention.indexer.top_k", indexed, 1 << 24));
    }

    /// A number from 1 on that may be absent, then 1, where nothing needs it.
    private int neededInt(String key, boolean needed, int max) {
        return needed ? fields.requiredInt(key, 1, max) : fields.optionalInt(key, 1, 1, max);
    }

    private ModelConfig.Moe moe() {
        int experts = fields.requiredInt("expert_count", 1, ModelConfigReader.MAX_WIDTH);
        int perToken = fields.requiredInt("expert_used_count", 1, 1024);
        if (perToken > experts) {
            fields.problem("expert_used_count", "at most expert_count (" + experts + ")", perToken);
        }
        return new ModelConfig.Moe(
                experts,
                fields.optionalInt("expert_shared_count", 1, 0, 1),
                perToken,
                fields.requiredInt("expert_feed_forward_length", 1, 1 << 20),
                fields.requiredDouble("expert_weights_scale", 0, 1e6),
                clamp());
    }

    /// One limit for all layers and both kinds of experts; the file has a number for each.
    private double clamp() {
        double limit = Double.NaN;
        for (String key : List.of("swiglu_clamp_exp", "swiglu_clamp_shexp")) {
            for (JsonNode value : elements(key)) {
                limit = Double.isNaN(limit) ? value.asDouble(-1) : limit;
                if (value.asDouble(-1) != limit || !(limit >= 0 && limit <= 1e30)) {
                    fields.problem(
                            key,
                            "the same number from 0 to 1e30 in all layers and for all experts",
                            limit + " and " + ConfigFields.shown(value));
                    return 0;
                }
            }
        }
        return Double.isNaN(limit) ? 0 : limit;
    }

    /// The elements of an array, a value on its own, or nothing.
    private Iterable<JsonNode> elements(String key) {
        JsonNode node = fields.node(key);
        if (node == null) {
            return List.of();
        }
        return node.isArray() ? node : List.of(node);
    }

    private ModelConfig.Rope rope(boolean compressed) {
        String compressBase = "attention.compress_rope_freq_base";
        return new ModelConfig.Rope(
                fields.requiredDouble("rope.freq_base", 1, 1e15),
                compressed
                        ? fields.requiredDouble(compressBase, 1, 1e15)
                        : fields.optionalDouble(compressBase, 1e4, 1, 1e15),
                yarn());
    }

    private ModelConfig.Yarn yarn() {
        String type = fields.text("rope.scaling.type");
        if (type == null || type.equals("none")) {
            return ModelConfig.Yarn.NONE;
        }
        if (!type.equals("yarn")) {
            fields.problem("rope.scaling.type", "yarn or none", SafetensorsHeader.quote(type));
            return ModelConfig.Yarn.NONE;
        }
        return new ModelConfig.Yarn(
                fields.requiredDouble("rope.scaling.factor", 1, 1e6),
                fields.optionalDouble("rope.scaling.yarn_beta_fast", 32, 1e-3, 1e6),
                fields.optionalDouble("rope.scaling.yarn_beta_slow", 1, 1e-3, 1e6),
                fields.requiredInt("rope.scaling.original_context_length", 1, 1 << 30));
    }

    private int tokenId(String key) {
        OptionalLong id = metadata.integer(key);
        if (id.isPresent() && (id.getAsLong() < 0 || id.getAsLong() > Integer.MAX_VALUE)) {
            throw metadata.mismatch(key, "a number from 0 to 2^31-1", Long.toString(id.getAsLong()));
        }
        return (int) id.orElse(-1);
    }
}
