package io.millrace.engine.checkpoint;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.model.DecoderConfig;
import io.millrace.engine.model.LanguageModelConfig;
import io.millrace.engine.model.LlamaConfig;
import io.millrace.engine.model.ModelConfig;
import io.millrace.engine.model.Qwen3Config;
import io.millrace.engine.model.RopeScaling;
import io.millrace.engine.model.RotaryPairs;
import io.millrace.engine.tensor.HostFloats;
import java.util.ArrayList;
import java.util.List;

/// What a Qwen3 or Llama in a GGUF file is, by the file's metadata. {@link DecoderBinder} binds its tensors.
public final class GgufDecoder {
    private static final String HEAD = "output.weight";
    private static final String ROPE_DIVISORS = "rope_freqs.weight";

    private final Metadata metadata;
    private final TensorLookup tensors;
    private final String architecture;
    private final String file;

    private GgufDecoder(Metadata metadata, TensorLookup tensors, String architecture, String file) {
        this.metadata = metadata;
        this.tensors = tensors;
        this.architecture = architecture;
        this.file = file;
    }

    /// @param file for messages
    /// @throws EngineException MODEL_MISMATCH for another architecture, a missing key or one out of range
    public static LanguageModelConfig config(Metadata metadata, TensorLookup tensors, String file) {
        String architecture = String.valueOf(metadata.text("general.architecture"));
        GgufDecoder gguf = new GgufDecoder(metadata, tensors, architecture, file);
        return switch (architecture) {
            case "qwen3moe" -> new Qwen3Config(gguf.decoder(), gguf.moe());
            case "qwen3" -> new Qwen3Config(gguf.decoder(), null);
            case "llama" -> gguf.llama();
            default -> throw gguf.mismatch("general.architecture", "qwen3moe, qwen3 or llama", architecture);
        };
    }

    private EngineException mismatch(String key, String expected, Object got) {
        return new EngineException(
                ErrorCode.MODEL_MISMATCH, file + ": " + key + ": expected " + expected + ", got " + got);
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
                !tensors.has(HEAD),
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
        long tokens = metadata.listSize("tokenizer.ggml.tokens");
        int listed = Math.clamp(tokens, -1, 1 << 24);
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
        if (tensors.has(ROPE_DIVISORS)) {
            List<Double> divisors = new ArrayList<>();
            for (float divisor : ((HostFloats) tensors.floats(ROPE_DIVISORS, headDim / 2)).array()) {
                divisors.add((double) divisor);
            }
            return new RopeScaling.Divisors(divisors);
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
