package io.millrace.engine.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.engine.model.DecoderConfig;
import io.millrace.engine.model.LanguageModelConfig;
import io.millrace.engine.model.LlamaConfig;
import io.millrace.engine.model.ModelConfig;
import io.millrace.engine.model.Qwen3Config;
import io.millrace.engine.model.RopeScaling;
import io.millrace.engine.model.RotaryPairs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Reads config.json of qwen3_moe, qwen3 and llama in the words of Hugging Face transformers, those before
/// version 5 (`rope_theta`, `rope_scaling`) and since (`rope_parameters`).
final class DecoderConfigReader {
    private static final int MAX_WIDTH = 1 << 16;
    private static final int MAX_INNER = 1 << 20;
    private static final int QWEN3_HEAD_DIM = 128;

    private final ConfigFields fields;
    private final String modelType;

    private DecoderConfigReader(ConfigFields fields, String modelType) {
        this.fields = fields;
        this.modelType = modelType;
    }

    /// @param fields where problems are written down
    /// @param path of config.json; a generation_config.json beside it may name more tokens that end a text
    static StorageConfig read(ConfigFields fields, Path path) {
        String modelType = fields.text("model_type");
        return new DecoderConfigReader(fields, modelType == null ? "" : modelType).storageConfig(path);
    }

    private StorageConfig storageConfig(Path path) {
        checkFixedChoices();
        boolean tied = fields.optionalBoolean("tie_word_embeddings", false);
        ConfigFields quantization = fields.object("quantization_config");
        int[] block = quantization == null ? new int[] {1, 1} : ModelConfigReader.block(quantization);
        return new StorageConfig(model(decoder(tied, path)), tied, block[0], block[1]);
    }

    private LanguageModelConfig model(DecoderConfig decoder) {
        return switch (modelType) {
            case "llama" -> new LlamaConfig(decoder, RotaryPairs.HALVES);
            case "qwen3" -> new Qwen3Config(decoder, null);
            default -> new Qwen3Config(decoder, moe(decoder.numHiddenLayers()));
        };
    }

    /// Keys with one value these architectures are computed by.
    private void checkFixedChoices() {
        fields.mustBeIfPresent("hidden_act", "silu");
        fields.mustBeIfPresent("attention_bias", false);
        fields.mustBeIfPresent("mlp_bias", false);
        fields.mustBeIfPresent("use_sliding_window", false);
        JsonNode types = fields.node("layer_types");
        if (types != null) {
            for (JsonNode type : types) {
                if (!type.asText().equals("full_attention")) {
                    fields.problem("layer_types", "full_attention throughout", ConfigFields.shown(type));
                }
            }
        }
    }

    private DecoderConfig decoder(boolean tied, Path path) {
        int hidden = fields.requiredInt("hidden_size", 1, MAX_WIDTH);
        int heads = fields.requiredInt("num_attention_heads", 1, 4096);
        int keyValueHeads = fields.optionalInt("num_key_value_heads", heads, 1, 4096);
        if (heads % keyValueHeads != 0) {
            fields.problem("num_key_value_heads", "a divisor of num_attention_heads (" + heads + ")", keyValueHeads);
        }
        int headDim = fields.optionalInt(
                "head_dim", modelType.equals("qwen3") ? QWEN3_HEAD_DIM : Math.max(hidden / heads, 2), 2, 8192);
        if (headDim % 2 != 0) {
            fields.problem("head_dim", "an even number", headDim);
        }
        int maxPositions = fields.requiredInt("max_position_embeddings", 1, 1 << 30);
        return new DecoderConfig(
                fields.requiredInt("vocab_size", 1, 1 << 24),
                hidden,
                fields.requiredInt("num_hidden_layers", 1, 1024),
                heads,
                keyValueHeads,
                headDim,
                fields.requiredInt("intermediate_size", 1, MAX_INNER),
                rope(maxPositions),
                fields.requiredDouble("rms_norm_eps", 1e-30, 1),
                maxPositions,
                tied,
                eosTokenIds(path));
    }

    private Qwen3Config.Moe moe(int layers) {
        String expertsKey = fields.has("num_experts") ? "num_experts" : "num_local_experts";
        int experts = fields.requiredInt(expertsKey, 1, MAX_WIDTH);
        int perToken = fields.requiredInt("num_experts_per_tok", 1, 1024);
        if (perToken > experts) {
            fields.problem("num_experts_per_tok", "at most " + expertsKey + " (" + experts + ")", perToken);
        }
        return new Qwen3Config.Moe(
                experts,
                perToken,
                fields.requiredInt("moe_intermediate_size", 1, MAX_INNER),
                fields.optionalBoolean("norm_topk_prob", false),
                denseLayers(layers));
    }

    private List<Integer> denseLayers(int layers) {
        int step = fields.optionalInt("decoder_sparse_step", 1, 1, 1024);
        List<Integer> listed = ids(fields, "mlp_only_layers");
        List<Integer> dense = new ArrayList<>();
        for (int layer = 0; layer < layers; layer++) {
            if (listed.contains(layer) || (layer + 1) % step != 0) {
                dense.add(layer);
            }
        }
        return dense;
    }

    private DecoderConfig.Rope rope(int maxPositions) {
        ConfigFields parameters = fields.object("rope_parameters");
        ConfigFields scaling = parameters == null ? fields.object("rope_scaling") : parameters;
        for (ConfigFields place : parameters == null ? List.of(fields) : List.of(fields, parameters)) {
            // all of a head is rotated
            place.optionalDouble("partial_rotary_factor", 1, 1, 1);
        }
        ConfigFields holder = parameters != null && parameters.has("rope_theta") ? parameters : fields;
        return new DecoderConfig.Rope(
                holder.optionalDouble("rope_theta", 1e4, 1, 1e15), scaling(scaling, maxPositions));
    }

    private static RopeScaling scaling(@Nullable ConfigFields scaling, int maxPositions) {
        String type = scaling == null ? "default" : ModelConfigReader.ropeType(scaling);
        if (scaling == null || type.equals("default")) {
            return new RopeScaling.None();
        }
        double factor = scaling.requiredDouble("factor", 1, 1e6);
        int original = scaling.optionalInt("original_max_position_embeddings", maxPositions, 1, 1 << 30);
        switch (type) {
            case "llama3" -> {
                double low = scaling.requiredDouble("low_freq_factor", 1e-3, 1e6);
                double high = scaling.requiredDouble("high_freq_factor", 1e-3, 1e6);
                if (high <= low) {
                    scaling.problem("high_freq_factor", "more than low_freq_factor (" + low + ")", high);
                }
                return new RopeScaling.Llama3(factor, low, high, original);
            }
            case "yarn" -> {
                scaling.mustBeIfPresent("truncate", true);
                ModelConfig.Yarn ramp = new ModelConfig.Yarn(
                        factor,
                        scaling.optionalDouble("beta_fast", 32, 1e-3, 1e6),
                        scaling.optionalDouble("beta_slow", 1, 1e-3, 1e6),
                        original);
                return new RopeScaling.Yarn(ramp, attentionFactor(scaling, factor));
            }
            default -> {
                scaling.problem("rope_type", "default, llama3 or yarn", SafetensorsHeader.quote(type));
                return new RopeScaling.None();
            }
        }
    }

    private static double attentionFactor(ConfigFields scaling, double factor) {
        if (scaling.has("mscale") || scaling.has("mscale_all_dim")) {
            scaling.problem("mscale", "no such key", "one");
        }
        return scaling.optionalDouble("attention_factor", RopeScaling.Yarn.recommended(factor), 0, 1e6);
    }

    private List<Integer> eosTokenIds(Path path) {
        Set<Integer> ids = new LinkedHashSet<>(ids(fields, "eos_token_id"));
        Path generation = path.resolveSibling("generation_config.json");
        if (Files.exists(generation)) {
            ids.addAll(ids(new ConfigFields(ModelConfigReader.readTree(generation)), "eos_token_id"));
        }
        return List.copyOf(ids);
    }

    /// A number, a list of numbers, or nothing.
    private static List<Integer> ids(ConfigFields fields, String key) {
        JsonNode node = fields.node(key);
        if (node == null) {
            return List.of();
        }
        if (!node.isArray()) {
            return List.of(fields.intOf(key, node, 0, Integer.MAX_VALUE));
        }
        List<Integer> ids = new ArrayList<>();
        for (JsonNode id : node) {
            ids.add(fields.intOf(key, id, 0, Integer.MAX_VALUE));
        }
        return ids;
    }
}
