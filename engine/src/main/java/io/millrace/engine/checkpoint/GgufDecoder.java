package io.millrace.engine.checkpoint;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.model.DecoderConfig;
import io.millrace.engine.model.LanguageModelConfig;
import io.millrace.engine.model.LlamaConfig;
import io.millrace.engine.model.ModelConfig;
import io.millrace.engine.model.Qwen3Config;
import io.millrace.engine.model.RopeScaling;
import io.millrace.engine.model.RotaryPairs;
import io.millrace.engine.tensor.DType;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// What a Qwen3 or Llama in a GGUF file is, by the file's metadata. {@link DecoderBinder} binds its tensors.
final class GgufDecoder {
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final String HEAD = "output.weight";
    /// Divisors of the rotation speeds, one for each pair of a head.
    static final String ROPE_DIVISORS = "rope_freqs.weight";

    private final GgufMetadata metadata;
    private final Map<String, StoredTensor> tensors;
    private final String architecture;

    private GgufDecoder(GgufMetadata metadata, Map<String, StoredTensor> tensors, String architecture) {
        this.metadata = metadata;
        this.tensors = tensors;
        this.architecture = architecture;
    }

    /// @throws EngineException MODEL_MISMATCH for another architecture, a missing key or one out of range
    static StorageConfig read(GgufMetadata metadata, Map<String, StoredTensor> tensors) {
        GgufDecoder gguf = new GgufDecoder(metadata, tensors, metadata.requiredText(GgufMetadata.ARCHITECTURE));
        return new StorageConfig(gguf.model(), !tensors.containsKey(HEAD), 1, 1);
    }

    private LanguageModelConfig model() {
        return switch (architecture) {
            case "qwen3moe" -> new Qwen3Config(decoder(), moe());
            case "qwen3" -> new Qwen3Config(decoder(), null);
            case "llama" -> llama();
            default -> throw mismatch(GgufMetadata.ARCHITECTURE, "qwen3moe, qwen3 or llama", architecture);
        };
    }

    private EngineException mismatch(String key, String expected, Object got) {
        return metadata.mismatch(key, expected, got.toString());
    }

    /// Query and key rows of Llama are permuted in these files.
    private LlamaConfig llama() {
        if (integer("expert_count", 0, 0, Integer.MAX_VALUE) != 0) {
            throw mismatch("llama.expert_count", "a model without experts", integer("expert_count", 0, 0, 1 << 16));
        }
        return new LlamaConfig(decoder(), RotaryPairs.INTERLEAVED);
    }

    private Qwen3Config.Moe moe() {
        int experts = integer("expert_count", 1, 1 << 16);
        // the architecture's models all normalise, so their files say nothing of it
        return new Qwen3Config.Moe(
                experts,
                integer("expert_used_count", 1, experts),
                integer("expert_feed_forward_length", 1, 1 << 20),
                true,
                List.of());
    }

    private DecoderConfig decoder() {
        int hidden = integer("embedding_length", 1, 1 << 16);
        int heads = integer("attention.head_count", 1, 4096);
        int keyValueHeads = integer("attention.head_count_kv", heads, 1, heads);
        if (heads % keyValueHeads != 0) {
            throw mismatch(key("attention.head_count_kv"), "a divisor of " + heads, keyValueHeads);
        }
        int headDim = integer("attention.key_length", Math.max(hidden / heads, 2), 2, 8192);
        checkHeads(headDim);
        return new DecoderConfig(
                vocabSize(),
                hidden,
                integer("block_count", 1, 1024),
                heads,
                keyValueHeads,
                headDim,
                // files of models that have nothing but experts may leave it out
                integer("feed_forward_length", 1, 1, 1 << 20),
                new DecoderConfig.Rope(number("rope.freq_base", 1e4, 1, 1e15), scaling(headDim)),
                number("attention.layer_norm_rms_epsilon", Double.NaN, 1e-30, 1),
                integer("context_length", 1, 1 << 30),
                !tensors.containsKey(HEAD),
                eosTokenIds());
    }

    private void checkHeads(int headDim) {
        if (headDim % 2 != 0) {
            throw mismatch(key("attention.key_length"), "an even number", headDim);
        }
        for (String same : List.of("attention.value_length", "rope.dimension_count")) {
            int got = integer(same, headDim, 1, 8192);
            if (got != headDim) {
                throw mismatch(key(same), "the size of a key's head, " + headDim, got);
            }
        }
    }

    private int vocabSize() {
        int listed = metadata.texts("tokenizer.ggml.tokens").size();
        return listed > 0 ? integer("vocab_size", listed, 1, 1 << 24) : integer("vocab_size", 1, 1 << 24);
    }

    private List<Integer> eosTokenIds() {
        List<Integer> ids = new ArrayList<>();
        for (String key : List.of("tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id")) {
            Number id = metadata.number(key);
            if (id != null && !ids.contains(id.intValue())) {
                ids.add(id.intValue());
            }
        }
        return ids;
    }

    private RopeScaling scaling(int headDim) {
        StoredTensor divisors = tensors.get(ROPE_DIVISORS);
        if (divisors != null) {
            return divisors(divisors, headDim / 2);
        }
        String type = metadata.text(key("rope.scaling.type"));
        if (type == null || type.equals("none")) {
            return new RopeScaling.None();
        }
        if (!type.equals("yarn")) {
            throw mismatch(key("rope.scaling.type"), "none or yarn", type);
        }
        double factor = number("rope.scaling.factor", Double.NaN, 1, 1e6);
        ModelConfig.Yarn ramp = new ModelConfig.Yarn(
                factor,
                number("rope.scaling.yarn_beta_fast", 32, 1e-3, 1e6),
                number("rope.scaling.yarn_beta_slow", 1, 1e-3, 1e6),
                integer("rope.scaling.original_context_length", 1, 1 << 30));
        double attention = number("rope.scaling.attn_factor", 1, 0, 1e6);
        return new RopeScaling.Yarn(ramp, attention * RopeScaling.Yarn.recommended(factor));
    }

    private RopeScaling divisors(StoredTensor stored, int pairs) {
        if (stored.type().dtype() != DType.F32 || !stored.shape().equals(List.of((long) pairs))) {
            throw mismatch(ROPE_DIVISORS, "F32 [" + pairs + "]", stored.form());
        }
        List<Double> divisors = new ArrayList<>();
        for (long pair = 0; pair < pairs; pair++) {
            divisors.add((double) stored.data().get(FLOAT, pair * Float.BYTES));
        }
        return new RopeScaling.Divisors(divisors);
    }

    private String key(String name) {
        return architecture + "." + name;
    }

    private int integer(String name, int min, int max) {
        return (int) number(name, Double.NaN, min, max);
    }

    private int integer(String name, int absent, int min, int max) {
        return (int) number(name, absent, min, max);
    }

    /// @param absent the value of a key that is not there; NaN if it must be
    private double number(String name, double absent, double min, double max) {
        Number found = metadata.number(key(name));
        if (found == null && !Double.isNaN(absent)) {
            return absent;
        }
        if (found != null && found.doubleValue() >= min && found.doubleValue() <= max) {
            return found.doubleValue();
        }
        throw mismatch(key(name), "a number from " + min + " to " + max, found == null ? "nothing" : found);
    }
}
