package io.millrace.engine.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.io.JsonEOFException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.model.ModelConfig;
import io.millrace.engine.model.ModelConfig.LayerKind;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Reads config.json, of DeepSeek-V4 in the words of DeepSeek's release or of Hugging Face transformers
/// (`layer_types`, `mlp_layer_types`, `compress_rates`, `rope_parameters`, `partial_rotary_factor`). Every
/// number is bounded, so that no configuration can ask for an absurd allocation; all problems of a file are
/// told in one message.
final class ModelConfigReader {
    /// The value of `model_type`.
    static final String MODEL_TYPE = "deepseek_v4";

    /// The key that names the architecture.
    static final String TYPE_KEY = "model_type";

    private static final int MAX_BYTES = 16 << 20;
    static final int MAX_LAYERS = 1024;
    private static final int MAX_MTP_LAYERS = 16;
    static final int MAX_RATIO = 1 << 14;
    static final int MAX_WIDTH = 1 << 16;
    static final int DEFAULT_BLOCK = 128;

    private static final ObjectMapper JSON = new ObjectMapper(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .streamReadConstraints(
                            StreamReadConstraints.builder().maxNestingDepth(100).build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private final ConfigFields fields;

    private ModelConfigReader(JsonNode root) {
        this.fields = new ConfigFields(root);
    }

    /// Reads a config.json as far as its `model_type`, which says whose keys the others are.
    ///
    /// @throws EngineException MODEL_UNREADABLE if there is no such file, MODEL_MISMATCH if it has no such
    ///     key
    static JsonNode readRoot(Path path) {
        JsonNode root = readTree(path);
        if (!root.isObject()) {
            throw new EngineException(
                    ErrorCode.MODEL_MISMATCH, path + ": expected an object, got " + ConfigFields.shown(root));
        }
        JsonNode type = root.path(TYPE_KEY);
        if (!type.isTextual()) {
            throw new EngineException(
                    ErrorCode.MODEL_MISMATCH,
                    path + ": model_type: expected a text, such as " + MODEL_TYPE + ", got "
                            + (type.isMissingNode() ? "nothing" : ConfigFields.shown(type)));
        }
        return root;
    }

    /// Reads a model's configuration.
    ///
    /// @param root of the file
    /// @return null for an architecture that is not known here: the keys of another family would only be a
    ///     list of confusing problems
    /// @throws EngineException MODEL_MISMATCH if it does not describe a model of its architecture
    static @Nullable StorageConfig read(Path path, JsonNode root) {
        ModelConfigReader reader = new ModelConfigReader(root);
        StorageConfig config = switch (root.path(TYPE_KEY).asText()) {
            case MODEL_TYPE -> reader.storageConfig();
            case "qwen3_moe", "qwen3", "llama" -> DecoderConfigReader.read(reader.fields, path);
            default -> null;
        };
        List<String> problems = reader.fields.problems();
        if (!problems.isEmpty()) {
            throw new EngineException(
                    ErrorCode.MODEL_MISMATCH,
                    path + ": " + problems.size() + (problems.size() == 1 ? " problem: " : " problems: ")
                            + String.join("; ", problems));
        }
        return config;
    }

    /// Parses a small JSON file; a key given twice is an error.
    static JsonNode readTree(Path path) {
        return readTree(path, MAX_BYTES);
    }

    static JsonNode readTree(Path path, int maxBytes) {
        byte[] bytes;
        boolean interrupted = Thread.interrupted();
        try (InputStream in = Files.newInputStream(path)) {
            bytes = in.readNBytes(maxBytes + 1);
        } catch (IOException e) {
            throw SafetensorsFile.unreadable(path, e);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        if (bytes.length > maxBytes) {
            throw new EngineException(
                    ErrorCode.MODEL_MISMATCH, path + ": expected at most " + maxBytes + " bytes, got more");
        }
        return parse(path, bytes);
    }

    private static JsonNode parse(Path path, byte[] bytes) {
        try (JsonParser parser = JSON.createParser(bytes)) {
            try {
                return JSON.readValue(parser, JsonNode.class);
            } catch (JsonProcessingException e) {
                boolean cut = e instanceof JsonEOFException
                        || parser.currentLocation().getByteOffset() >= bytes.length;
                throw new EngineException(
                        cut ? ErrorCode.MODEL_UNREADABLE : ErrorCode.MODEL_MISMATCH,
                        path + ": expected valid JSON, got: " + SafetensorsHeader.complaint(e, parser)
                                + (cut ? ": truncated, or still being copied" : ""),
                        e);
            }
        } catch (IOException e) {
            throw SafetensorsFile.unreadable(path, e);
        }
    }

    private StorageConfig storageConfig() {
        checkFixedChoices();
        List<ModelConfig.Layer> layers = layers();
        List<ModelConfig.Layer> mtpLayers = mtpLayers(layers.size());
        boolean compressed = layers.stream().anyMatch(layer -> layer.compressRatio() > 0);
        boolean indexed = layers.stream().anyMatch(layer -> layer.kind() == LayerKind.CSA);
        ModelConfig.Attention attention = attention();
        ModelConfig.Indexer indexer = indexer(indexed, attention);
        ConfigFields quantization = fields.object("quantization_config");
        int[] block = quantization == null ? new int[] {DEFAULT_BLOCK, DEFAULT_BLOCK} : block(quantization);
        ModelConfig model = new ModelConfig(
                fields.requiredInt("vocab_size", 1, 1 << 24),
                fields.requiredInt("hidden_size", 1, MAX_WIDTH),
                layers,
                mtpLayers,
                attention,
                indexer,
                moe(),
                hyperConnections(),
                rope(compressed),
                fields.requiredDouble("rms_norm_eps", 1e-30, 1),
                fields.requiredInt("max_position_embeddings", 1, 1 << 30),
                tokenId("bos_token_id"),
                tokenId("eos_token_id"),
                quantization != null);
        return new StorageConfig(model, fields.optionalBoolean("tie_word_embeddings", false), block[0], block[1]);
    }

    /// Keys with one value this architecture is computed by.
    private void checkFixedChoices() {
        fields.mustBeIfPresent("num_key_value_heads", 1);
        fields.mustBeIfPresent("scoring_func", "sqrtsoftplus");
        fields.mustBeIfPresent("topk_method", "noaux_tc");
        fields.mustBeIfPresent("norm_topk_prob", true);
        fields.mustBeIfPresent("hidden_act", "silu");
        fields.mustBeIfPresent("attention_bias", false);
        fields.mustBeIfPresent("mlp_bias", false);
    }

    private List<ModelConfig.Layer> layers() {
        int count = fields.requiredInt("num_hidden_layers", 1, MAX_LAYERS);
        List<ModelConfig.Layer> kinds = fields.has("compress_ratios") || !fields.has("layer_types")
                ? layersFromRatios(count)
                : layersFromTypes(count);
        boolean[] hashRouted = hashRouted(count);
        List<ModelConfig.Layer> layers = new ArrayList<>();
        for (ModelConfig.Layer layer : kinds) {
            layers.add(new ModelConfig.Layer(
                    layer.index(), layer.kind(), layer.compressRatio(), hashRouted[layer.index()]));
        }
        return layers;
    }

    /// DeepSeek's form: one number a layer, followed by those of the prediction blocks, which are looked at
    /// elsewhere.
    private List<ModelConfig.Layer> layersFromRatios(int count) {
        List<ModelConfig.Layer> layers = new ArrayList<>();
        JsonNode ratios = fields.node("compress_ratios");
        if (ratios == null || !hasAllLayers(ratios, count)) {
            fields.problem(
                    "compress_ratios",
                    "a list of num_hidden_layers (" + count + ") numbers, or of those and the prediction layers'",
                    sizeOf(ratios));
            return layers;
        }
        for (int layer = 0; layer < count; layer++) {
            int ratio = fields.intOf("compress_ratios[" + layer + "]", ratios.get(layer), 0, MAX_RATIO);
            if (ratio == 1) {
                fields.problem("compress_ratios[" + layer + "]", "0 or at least 2", 1);
            }
            layers.add(new ModelConfig.Layer(layer, kindOf(ratio), ratio, false));
        }
        return layers;
    }

    /// Hugging Face's form: a word a layer, and a ratio per word.
    private List<ModelConfig.Layer> layersFromTypes(int count) {
        List<ModelConfig.Layer> layers = new ArrayList<>();
        JsonNode types = fields.node("layer_types");
        if (types == null || !hasAllLayers(types, count)) {
            fields.problem("layer_types", "a list of num_hidden_layers (" + count + ") words", sizeOf(types));
            return layers;
        }
        int csaRatio = rate("compressed_sparse_attention", "compress_rate_csa", 4);
        int hcaRatio = rate("heavily_compressed_attention", "compress_rate_hca", 128);
        for (int layer = 0; layer < count; layer++) {
            switch (types.get(layer).asText()) {
                case "sliding_attention" -> layers.add(new ModelConfig.Layer(layer, LayerKind.SLIDING, 0, false));
                case "compressed_sparse_attention" ->
                    layers.add(new ModelConfig.Layer(layer, LayerKind.CSA, csaRatio, false));
                case "heavily_compressed_attention" ->
                    layers.add(new ModelConfig.Layer(layer, LayerKind.HCA, hcaRatio, false));
                default ->
                    fields.problem(
                            "layer_types[" + layer + "]",
                            "sliding_attention, compressed_sparse_attention or heavily_compressed_attention",
                            ConfigFields.shown(types.get(layer)));
            }
        }
        return layers;
    }

    /// A list with an element for each decoder layer and perhaps some for the prediction blocks.
    private static boolean hasAllLayers(JsonNode list, int count) {
        return list.isArray() && list.size() >= count && list.size() <= count + MAX_MTP_LAYERS;
    }

    private static String sizeOf(@Nullable JsonNode list) {
        if (list == null) {
            return "nothing";
        }
        return list.isArray() ? list.size() + " elements" : ConfigFields.shown(list);
    }

    private int rate(String layerType, String oldKey, int absent) {
        ConfigFields rates = fields.object("compress_rates");
        int rate = rates == null ? absent : rates.optionalInt(layerType, absent, 2, MAX_RATIO);
        return fields.optionalInt(oldKey, rate, 2, MAX_RATIO);
    }

    static LayerKind kindOf(int ratio) {
        return switch (ratio) {
            case 0 -> LayerKind.SLIDING;
            case 4 -> LayerKind.CSA;
            default -> LayerKind.HCA;
        };
    }

    private boolean[] hashRouted(int count) {
        boolean[] hashRouted = new boolean[count];
        JsonNode types = fields.node("mlp_layer_types");
        if (types == null) {
            int hashLayers = fields.optionalInt("num_hash_layers", 0, 0, count);
            for (int layer = 0; layer < hashLayers; layer++) {
                hashRouted[layer] = true;
            }
        } else if (!hasAllLayers(types, count)) {
            fields.problem("mlp_layer_types", "a list of num_hidden_layers (" + count + ") words", sizeOf(types));
        } else {
            for (int layer = 0; layer < count; layer++) {
                hashRouted[layer] = isHash(layer, types.get(layer));
            }
        }
        return hashRouted;
    }

    private boolean isHash(int layer, JsonNode type) {
        boolean hash = type.asText().equals("hash_moe");
        if (!hash && !type.asText().equals("moe")) {
            fields.problem("mlp_layer_types[" + layer + "]", "hash_moe or moe", ConfigFields.shown(type));
        }
        return hash;
    }

    /// Prediction blocks are numbered on behind the decoder layers.
    private List<ModelConfig.Layer> mtpLayers(int decoderLayers) {
        List<ModelConfig.Layer> layers = new ArrayList<>();
        int count = fields.optionalInt("num_nextn_predict_layers", 0, 0, MAX_MTP_LAYERS);
        JsonNode ratios = fields.node("compress_ratios");
        for (int block = 0; block < count; block++) {
            int index = decoderLayers + block;
            JsonNode ratio = ratios == null || decoderLayers == 0 ? null : ratios.get(index);
            if (ratio != null && (!ratio.isIntegralNumber() || ratio.asLong() != 0)) {
                fields.problem("compress_ratios[" + index + "]", "0 for a prediction layer", ConfigFields.shown(ratio));
            }
            layers.add(new ModelConfig.Layer(index, LayerKind.SLIDING, 0, false));
        }
        return layers;
    }

    private ModelConfig.Attention attention() {
        int heads = fields.requiredInt("num_attention_heads", 1, 4096);
        int headDim = fields.requiredInt("head_dim", 2, 8192);
        int groups = fields.requiredInt("o_groups", 1, 4096);
        if (heads % groups != 0) {
            fields.problem("o_groups", "a divisor of num_attention_heads (" + heads + ")", groups);
        }
        return new ModelConfig.Attention(
                heads,
                headDim,
                ropeHeadDim(headDim),
                fields.requiredInt("q_lora_rank", 1, MAX_WIDTH),
                groups,
                fields.requiredInt("o_lora_rank", 1, MAX_WIDTH),
                fields.requiredInt("sliding_window", 1, 1 << 20));
    }

    private int ropeHeadDim(int headDim) {
        int ropeHeadDim;
        if (!fields.has("qk_rope_head_dim") && fields.has("partial_rotary_factor")) {
            ropeHeadDim = (int) (headDim * fields.requiredDouble("partial_rotary_factor", 0, 1));
        } else {
            ropeHeadDim = fields.requiredInt("qk_rope_head_dim", 2, 8192);
        }
        if (ropeHeadDim < 2 || ropeHeadDim % 2 != 0 || ropeHeadDim > headDim) {
            fields.problem("qk_rope_head_dim", "an even number from 2 to head_dim (" + headDim + ")", ropeHeadDim);
        }
        return ropeHeadDim;
    }

    private ModelConfig.Indexer indexer(boolean indexed, ModelConfig.Attention attention) {
        if (!indexed) {
            return new ModelConfig.Indexer(
                    fields.optionalInt("index_n_heads", 1, 1, 4096),
                    fields.optionalInt("index_head_dim", 1, 1, 8192),
                    fields.optionalInt("index_topk", 1, 1, 1 << 24));
        }
        int headDim = fields.requiredInt("index_head_dim", 2, 8192);
        if (headDim < attention.qkRopeHeadDim()) {
            fields.problem("index_head_dim", "at least qk_rope_head_dim (" + attention.qkRopeHeadDim() + ")", headDim);
        }
        return new ModelConfig.Indexer(
                fields.requiredInt("index_n_heads", 1, 4096), headDim, fields.requiredInt("index_topk", 1, 1 << 24));
    }

    private ModelConfig.Moe moe() {
        String expertsKey = !fields.has("n_routed_experts") && fields.has("num_local_experts")
                ? "num_local_experts"
                : "n_routed_experts";
        int experts = fields.requiredInt(expertsKey, 1, MAX_WIDTH);
        int perToken = fields.requiredInt("num_experts_per_tok", 1, 1024);
        if (perToken > experts) {
            fields.problem("num_experts_per_tok", "at most " + expertsKey + " (" + experts + ")", perToken);
        }
        return new ModelConfig.Moe(
                experts,
                fields.optionalInt("n_shared_experts", 1, 0, 1),
                perToken,
                fields.requiredInt("moe_intermediate_size", 1, 1 << 20),
                fields.requiredDouble("routed_scaling_factor", 0, 1e6),
                fields.optionalDouble("swiglu_limit", 0, 0, 1e30));
    }

    private ModelConfig.HyperConnections hyperConnections() {
        return new ModelConfig.HyperConnections(
                fields.requiredInt("hc_mult", 1, 16),
                fields.requiredInt("hc_sinkhorn_iters", 1, 1000),
                fields.requiredDouble("hc_eps", 0, 1));
    }

    private ModelConfig.Rope rope(boolean compressed) {
        ConfigFields parameters = fields.object("rope_parameters");
        ConfigFields main = parameters == null ? null : parameters.object("main");
        ConfigFields compress = parameters == null ? null : parameters.object("compress");
        ConfigFields scaling = compress != null ? compress : fields.object("rope_scaling");
        if (scaling == null && main == null) {
            scaling = parameters;
        }
        checkUnscaled(main);
        return new ModelConfig.Rope(
                theta("rope_theta", main, "rope_theta", true),
                theta("compress_rope_theta", compress, "rope_theta", compressed),
                yarn(scaling));
    }

    private double theta(String key, @Nullable ConfigFields nested, String nestedKey, boolean required) {
        if (nested != null && nested.has(nestedKey)) {
            return nested.requiredDouble(nestedKey, 1, 1e15);
        }
        return required ? fields.requiredDouble(key, 1, 1e15) : fields.optionalDouble(key, 1e4, 1, 1e15);
    }

    static String ropeType(ConfigFields scaling) {
        String type = scaling.text(scaling.has("rope_type") ? "rope_type" : "type");
        return type == null ? "default" : type;
    }

    /// Sliding layers know no scaling.
    private static void checkUnscaled(@Nullable ConfigFields main) {
        if (main != null && !ropeType(main).equals("default")) {
            main.problem("rope_type", "default", SafetensorsHeader.quote(ropeType(main)));
        }
    }

    private static ModelConfig.Yarn yarn(@Nullable ConfigFields scaling) {
        if (scaling == null || ropeType(scaling).equals("default")) {
            return ModelConfig.Yarn.NONE;
        }
        if (!ropeType(scaling).equals("yarn")) {
            scaling.problem("rope_type", "yarn or default", SafetensorsHeader.quote(ropeType(scaling)));
            return ModelConfig.Yarn.NONE;
        }
        double attentionFactor = scaling.optionalDouble("attention_factor", 1, 0, 1e6);
        if (attentionFactor != 1) {
            scaling.problem("attention_factor", "1", attentionFactor);
        }
        return new ModelConfig.Yarn(
                scaling.requiredDouble("factor", 1, 1e6),
                scaling.optionalDouble("beta_fast", 32, 1e-3, 1e6),
                scaling.optionalDouble("beta_slow", 1, 1e-3, 1e6),
                scaling.requiredInt("original_max_position_embeddings", 1, 1 << 30));
    }

    /// One id; of a list the first.
    private int tokenId(String key) {
        JsonNode node = fields.node(key);
        JsonNode first = node != null && node.isArray() ? node.get(0) : node;
        return first == null ? -1 : fields.intOf(key, first, 0, Integer.MAX_VALUE);
    }

    static int[] block(ConfigFields quantization) {
        quantization.mustBeIfPresent("quant_method", "fp8");
        JsonNode size = quantization.node("weight_block_size");
        if (size == null) {
            return new int[] {DEFAULT_BLOCK, DEFAULT_BLOCK};
        }
        if (!size.isArray() || size.size() != 2) {
            quantization.problem("weight_block_size", "two numbers", ConfigFields.shown(size));
            return new int[] {DEFAULT_BLOCK, DEFAULT_BLOCK};
        }
        return new int[] {
            quantization.intOf("weight_block_size[0]", size.get(0), 1, 1 << 20),
            quantization.intOf("weight_block_size[1]", size.get(1), 1, 1 << 20)
        };
    }
}
