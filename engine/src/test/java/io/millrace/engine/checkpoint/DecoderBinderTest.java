package io.millrace.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.LocalEngine;
import io.millrace.engine.api.EngineConfig;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.checkpoint.DecoderNames.Scheme;
import io.millrace.engine.kernel.KernelProvider;
import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.model.LanguageModel;
import io.millrace.engine.model.LanguageModelConfig;
import io.millrace.engine.model.Llama;
import io.millrace.engine.model.LlamaConfig;
import io.millrace.engine.model.ModelConfig;
import io.millrace.engine.model.Qwen3;
import io.millrace.engine.model.Qwen3Config;
import io.millrace.engine.model.Step;
import io.millrace.engine.tensor.Floats;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The same weights under other names and in other forms, and configurations that do not fit.
class DecoderBinderTest {
    private static final Path VECTORS = Path.of("src/test/resources/vectors");
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path dir;

    private ObjectNode config = JSON.createObjectNode();
    private Map<String, SafetensorsWriter.Tensor> tensors = new LinkedHashMap<>();

    @BeforeEach
    void readMoe() throws IOException {
        read("tiny-qwen3moe");
    }

    private void read(String model) throws IOException {
        config = (ObjectNode)
                JSON.readTree(VECTORS.resolve(model).resolve("config.json").toFile());
        tensors = new LinkedHashMap<>();
        try (Checkpoint checkpoint = Checkpoint.open(VECTORS.resolve(model))) {
            for (StoredTensor tensor : checkpoint.tensors()) {
                long[] shape =
                        tensor.shape().stream().mapToLong(Long::longValue).toArray();
                tensors.put(
                        tensor.name(),
                        new SafetensorsWriter.Tensor("F32", shape, tensor.data().toArray(ValueLayout.JAVA_BYTE)));
            }
        }
    }

    private Checkpoint write() throws IOException {
        Files.writeString(dir.resolve("config.json"), config.toString());
        SafetensorsWriter.write(dir.resolve("model.safetensors"), tensors);
        return Checkpoint.open(dir);
    }

    private static float[] logits(LanguageModel model) {
        int[] tokens = new Random(20261122).ints(40, 0, 67).toArray();
        Step step = new Step();
        step.add(model.newCache(), tokens, 0, tokens.length);
        Floats logits = model.logits(model.forward(step), IntStream.range(0, 40).toArray());
        float[] all = new float[40 * 67];
        model.read(logits, 0, all, all.length);
        return all;
    }

    private static LanguageModel model(Kernels kernels, Checkpoint checkpoint) {
        return switch (checkpoint.model()) {
            case Qwen3Config qwen3 -> new Qwen3(kernels, qwen3, DecoderBinder.bind(checkpoint, qwen3));
            case LlamaConfig llama -> new Llama(kernels, llama, DecoderBinder.bind(checkpoint, llama));
            case ModelConfig other -> throw new IllegalArgumentException(other.modelType());
        };
    }

    private float[] stored() throws IOException {
        try (Kernels kernels = KernelProvider.open("reference", 1);
                Checkpoint checkpoint = write()) {
            return logits(model(kernels, checkpoint));
        }
    }

    @Test
    void bind_fusedExperts() throws IOException {
        float[] expected = stored();
        for (int layer : new int[] {0, 2}) {
            String experts = "model.layers." + layer + ".mlp.experts.";
            byte[] gateUp = new byte[0];
            byte[] down = new byte[0];
            for (int e = 0; e < 8; e++) {
                gateUp = joined(gateUp, take(experts + e + ".gate_proj.weight"));
                gateUp = joined(gateUp, take(experts + e + ".up_proj.weight"));
                down = joined(down, take(experts + e + ".down_proj.weight"));
            }
            tensors.put(experts + "gate_up_proj", new SafetensorsWriter.Tensor("F32", new long[] {8, 24, 48}, gateUp));
            tensors.put(experts + "down_proj", new SafetensorsWriter.Tensor("F32", new long[] {8, 48, 12}, down));
        }
        assertThat(stored()).containsExactly(expected);
    }

    private byte[] take(String name) {
        return tensors.remove(name).data();
    }

    private static byte[] joined(byte[] a, byte[] b) {
        byte[] both = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }

    @Test
    void bind_namesWithoutThePrefix() throws IOException {
        float[] expected = stored();
        Map<String, SafetensorsWriter.Tensor> renamed = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> renamed.put(name.replaceFirst("^model\\.", ""), tensor));
        tensors = renamed;
        assertThat(stored()).containsExactly(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-qwen3moe", "tiny-qwen3", "tiny-llama"})
    void gguf_theSameModelUnderTheOtherNames(String name) throws IOException {
        read(name);
        if (name.equals("tiny-qwen3moe")) {
            // files of this architecture know no dense layers
            config.putArray("mlp_only_layers");
            for (String tensor : List.copyOf(tensors.keySet())) {
                if (tensor.startsWith("model.layers.0.mlp.")) {
                    tensors.put(tensor.replace("layers.0", "layers.1"), tensors.get(tensor));
                }
            }
        }
        float[] expected = stored();
        Path file = gguf().write(dir.resolve("tiny.gguf"));
        try (Checkpoint checkpoint = Checkpoint.open(file)) {
            assertThat(checkpoint.architecture())
                    .isEqualTo(config.get("model_type").asText().replace("_", ""));
            assertThat(checkpoint.model().modelType())
                    .isEqualTo(config.get("model_type").asText());
            assertThat(checkpoint.model().eosTokenIds()).containsExactly(2);
        }
        assertLogits(file, expected);
        assertEngineLogits(file);
    }

    /// Llama 3.1's scaling comes as a tensor there.
    @Test
    void gguf_ropeDivisors() throws IOException {
        read("tiny-llama");
        config.set(
                "rope_parameters",
                JSON.readTree("{\"rope_type\":\"llama3\",\"rope_theta\":1e4,\"factor\":8.0,"
                        + "\"low_freq_factor\":1.0,\"high_freq_factor\":4.0,\"original_max_position_embeddings\":64}"));
        float[] expected = stored();
        // the turns of the 8 pairs in 64 positions: 10.2, 3.2, 1.02, then less than one
        double blend = (64 * Math.pow(10, -0.5) / (2 * Math.PI) - 1) / 3;
        double slow = (64 * 0.1 / (2 * Math.PI) - 1) / 3;
        float[] divisors = {
            1, (float) (1 / (blend + (1 - blend) / 8)), (float) (1 / (slow + (1 - slow) / 8)), 8, 8, 8, 8, 8
        };
        GgufWriter gguf = gguf();
        gguf.tensors.put(
                "rope_freqs.weight",
                new GgufWriter.Tensor(
                        0,
                        List.of(8L),
                        SafetensorsWriter.Tensor.f32(divisors, 8).data()));
        assertLogits(gguf.write(dir.resolve("tiny.gguf")), expected);
    }

    @Test
    void gguf_yarn() throws IOException {
        read("tiny-qwen3");
        config.set(
                "rope_parameters",
                JSON.readTree("{\"rope_type\":\"yarn\",\"rope_theta\":1e5,\"factor\":4.0,"
                        + "\"original_max_position_embeddings\":64,\"beta_fast\":4.0,\"beta_slow\":1.0}"));
        float[] expected = stored();
        GgufWriter gguf = gguf();
        gguf.metadata.putAll(Map.of(
                "qwen3.rope.freq_base",
                1e5f,
                "qwen3.rope.scaling.type",
                "yarn",
                "qwen3.rope.scaling.factor",
                4f,
                "qwen3.rope.scaling.original_context_length",
                64,
                "qwen3.rope.scaling.yarn_beta_fast",
                4f));
        assertLogits(gguf.write(dir.resolve("tiny.gguf")), expected);
    }

    /// The same bits; but Llama's heads lie permuted, so that their sums take another order.
    private static void assertLogits(Path gguf, float[] expected) {
        try (Kernels kernels = KernelProvider.open("reference", 1);
                Checkpoint checkpoint = Checkpoint.open(gguf)) {
            float tolerance = checkpoint.architecture().equals("llama") ? 1e-6f : 0;
            assertThat(logits(model(kernels, checkpoint))).containsExactly(expected, within(tolerance));
        }
    }

    /// The whole engine, on the folder and on the file, with the fast kernels.
    private void assertEngineLogits(Path gguf) {
        int[] tokens = new Random(20261122).ints(40, 0, 67).toArray();
        try (LocalEngine folder = LocalEngine.open(EngineConfig.of(dir));
                LocalEngine file = LocalEngine.open(EngineConfig.of(gguf))) {
            assertThat(file.model().parametersTotal()).isEqualTo(folder.model().parametersTotal());
            float[][] expected = folder.logits(tokens);
            float[][] got = file.logits(tokens);
            float tolerance = config.get("model_type").asText().equals("llama") ? 1e-5f : 0;
            for (int i = 0; i < tokens.length; i++) {
                assertThat(got[i]).containsExactly(expected[i], within(tolerance));
            }
        }
    }

    /// The model as a converter writes it.
    private GgufWriter gguf() {
        GgufWriter gguf = new GgufWriter();
        putMetadata(gguf);
        boolean permuted = config.get("model_type").asText().equals("llama");
        put(gguf, DecoderNames.EMBED, 0, false);
        put(gguf, DecoderNames.HEAD, 0, false);
        put(gguf, DecoderNames.NORM, 0, false);
        for (int layer = 0; layer < 3; layer++) {
            for (DecoderNames field : DecoderNames.values()) {
                if (tensors.containsKey(field.in(Scheme.HUGGING_FACE, layer, 0))
                        && field.name().startsWith("EXPERT")) {
                    putExperts(gguf, field, layer);
                } else {
                    put(gguf, field, layer, permuted && (field == DecoderNames.Q || field == DecoderNames.K));
                }
            }
        }
        return gguf;
    }

    private void putExperts(GgufWriter gguf, DecoderNames field, int layer) {
        byte[] all = new byte[0];
        long[] shape = {};
        for (int e = 0; e < 8; e++) {
            SafetensorsWriter.Tensor expert = tensors.get(field.in(Scheme.HUGGING_FACE, layer, e));
            all = joined(all, expert.data());
            shape = expert.shape();
        }
        gguf.tensors.put(field.in(Scheme.GGUF, layer), new GgufWriter.Tensor(0, List.of(8L, shape[0], shape[1]), all));
    }

    private void put(GgufWriter gguf, DecoderNames field, int layer, boolean permuted) {
        SafetensorsWriter.Tensor tensor = tensors.get(field.in(Scheme.HUGGING_FACE, layer));
        if (tensor != null) {
            gguf.tensors.put(
                    field.in(Scheme.GGUF, layer),
                    new GgufWriter.Tensor(
                            0,
                            Arrays.stream(tensor.shape()).boxed().toList(),
                            permuted ? interleaved(tensor) : tensor.data()));
        }
    }

    /// Within each head of 16 rows, row i of the first half goes to 2i, of the second to 2i + 1.
    private static byte[] interleaved(SafetensorsWriter.Tensor tensor) {
        int row = 48 * Float.BYTES;
        byte[] moved = new byte[tensor.data().length];
        for (int r = 0; r < tensor.shape()[0]; r++) {
            int inHead = r % 16;
            int to = r - inHead + inHead % 8 * 2 + inHead / 8;
            System.arraycopy(tensor.data(), r * row, moved, to * row, row);
        }
        return moved;
    }

    private void putMetadata(GgufWriter gguf) {
        String type = config.get("model_type").asText().replace("_", "");
        gguf.metadata.put("general.architecture", type);
        gguf.metadata.put("tokenizer.ggml.eos_token_id", 2);
        gguf.metadata.put("tokenizer.ggml.tokens", Collections.nCopies(67, "x"));
        Map.of(
                        "embedding_length", "hidden_size",
                        "block_count", "num_hidden_layers",
                        "attention.head_count", "num_attention_heads",
                        "attention.head_count_kv", "num_key_value_heads",
                        "attention.key_length", "head_dim",
                        "feed_forward_length", "intermediate_size",
                        "context_length", "max_position_embeddings")
                .forEach((key, ours) ->
                        gguf.metadata.put(type + "." + key, config.get(ours).intValue()));
        gguf.metadata.put(
                type + ".attention.layer_norm_rms_epsilon",
                config.get("rms_norm_eps").floatValue());
        if (config.has("num_local_experts")) {
            gguf.metadata.put(type + ".expert_count", 8);
            gguf.metadata.put(type + ".expert_used_count", 2);
            gguf.metadata.put(type + ".expert_feed_forward_length", 12);
        }
    }

    @Test
    void ggufConfig_whatIsMissingOrNotComputed() throws IOException {
        read("tiny-llama");
        assertGguf("llama.expert_count", 8, "expected a model without experts, got 8");
        assertGguf("llama.rope.scaling.type", "linear", "expected none or yarn, got linear");
        assertGguf("llama.rope.dimension_count", 8, "expected the size of a key's head, 16, got 8");
        assertGguf("llama.attention.head_count_kv", 3, "expected a divisor of 4, got 3");
        assertGguf("llama.attention.head_count", "4", "expected a number, got String \"4\"");
        assertGguf("llama.context_length", null, "expected a number from 1.0 to 1.073741824E9, got nothing");
    }

    private void assertGguf(String key, @Nullable Object value, String message) {
        GgufWriter gguf = gguf();
        if (value == null) {
            gguf.metadata.remove(key);
        } else {
            gguf.metadata.put(key, value);
        }
        Path file = gguf.write(dir.resolve("tiny.gguf"));
        assertThatThrownBy(() -> Checkpoint.open(file))
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.MODEL_MISMATCH))
                .hasMessage("tiny.gguf: " + key + ": " + message);
    }

    @Test
    void ggufRopeDivisors_ofAnotherSize() throws IOException {
        read("tiny-llama");
        GgufWriter gguf = gguf();
        gguf.tensors.put("rope_freqs.weight", new GgufWriter.Tensor(0, List.of(7L), new byte[28]));
        Path file = gguf.write(dir.resolve("tiny.gguf"));
        assertThatThrownBy(() -> Checkpoint.open(file))
                .isInstanceOf(EngineException.class)
                .hasMessage("tiny.gguf: rope_freqs.weight: expected F32 [8], got F32 [7]");
    }

    @Test
    void model_ofAnUnknownArchitecture() {
        GgufWriter gguf = new GgufWriter();
        gguf.metadata.put("general.architecture", "gpt2");
        try (Checkpoint checkpoint = Checkpoint.open(gguf.write(dir.resolve("tiny.gguf")))) {
            assertThatThrownBy(checkpoint::model)
                    .isInstanceOf(EngineException.class)
                    .hasMessageContaining(
                            "general.architecture: expected deepseek4, qwen3moe, qwen3 or llama, got \"gpt2\"");
        }
    }

    @Test
    void bind_missingAndMisshapenTensorsAreAllTold() throws IOException {
        tensors.remove("model.layers.1.self_attn.q_norm.weight");
        tensors.computeIfPresent("model.layers.2.mlp.experts.3.up_proj.weight", (k, t) -> t.withShape(48, 12));
        try (Checkpoint checkpoint = write()) {
            Qwen3Config model = (Qwen3Config) checkpoint.model();
            assertThatThrownBy(() -> DecoderBinder.bind(checkpoint, model))
                    .isInstanceOf(EngineException.class)
                    .hasMessageContaining("2 tensors do not fit config.json")
                    .hasMessageContaining("model.layers.1.self_attn.q_norm.weight: expected F32, BF16 or F16 [16]")
                    .hasMessageContaining("experts.3.up_proj.weight: expected F32 [12, 48], got F32 [48, 12]");
        }
    }

    @Test
    void bind_fusedExpertsOfAnotherShape() throws IOException {
        tensors.put("model.layers.0.mlp.experts.gate_up_proj", SafetensorsWriter.Tensor.f32(new float[6], 2, 3));
        try (Checkpoint checkpoint = write()) {
            Qwen3Config model = (Qwen3Config) checkpoint.model();
            assertThatThrownBy(() -> DecoderBinder.bind(checkpoint, model))
                    .isInstanceOf(EngineException.class)
                    .hasMessageContaining("gate_up_proj: expected F32 [8, 24, 48], got F32 [2, 3]");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "attention_bias | true | attention_bias: expected false, got true",
                "use_sliding_window | true | use_sliding_window: expected false, got true",
                "hidden_act | \"gelu\" | hidden_act: expected silu, got \"gelu\"",
                "num_key_value_heads | 3 | num_key_value_heads: expected a divisor of num_attention_heads (4), got 3",
                "head_dim | 7 | head_dim: expected an even number, got 7",
                "num_experts_per_tok | 9 | num_experts_per_tok: expected at most num_local_experts (8), got 9",
                "layer_types | [\"sliding_attention\"] | layer_types: expected full_attention throughout, got \"sliding_attention\"",
                "partial_rotary_factor | 0.5 | partial_rotary_factor: expected a number from 1.0 to 1.0, got 0.5",
                "rope_parameters | {\"rope_type\":\"dynamic\"} | rope_parameters.rope_type: expected default, llama3 or yarn, got \"dynamic\"",
                "rope_parameters | {\"rope_type\":\"yarn\"} | rope_parameters.factor: expected a number from 1.0 to 1000000.0, got nothing",
                "rope_parameters | {\"rope_type\":\"yarn\",\"mscale\":1} | rope_parameters.mscale: expected no such key, got one",
            })
    void config_whatIsNotComputedIsRefused(String key, String value, String message) throws IOException {
        config.set(key, JSON.readTree(value));
        assertThatThrownBy(this::write)
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.MODEL_MISMATCH))
                .hasMessageContaining(message);
    }

    /// The words of transformers before version 5.
    @Test
    void config_ropeInTheOlderWords() throws IOException {
        read("tiny-llama");
        ObjectNode scaling =
                (ObjectNode) JSON.readTree("{\"rope_type\":\"llama3\",\"factor\":8.0,\"low_freq_factor\":1.0,"
                        + "\"high_freq_factor\":4.0,\"original_max_position_embeddings\":64}");
        config.set("rope_parameters", scaling.deepCopy().put("rope_theta", 5e5));
        LanguageModelConfig newer;
        try (Checkpoint checkpoint = write()) {
            newer = checkpoint.model();
        }
        config.remove("rope_parameters");
        config.put("rope_theta", 5e5).set("rope_scaling", scaling);
        try (Checkpoint checkpoint = write()) {
            assertThat(checkpoint.model()).isEqualTo(newer);
        }
    }

    @Test
    void config_endTokensOfBothFiles() throws IOException {
        Files.writeString(dir.resolve("generation_config.json"), "{\"eos_token_id\":[7,2,9]}");
        try (Checkpoint checkpoint = write()) {
            assertThat(checkpoint.model().eosTokenIds()).containsExactly(2, 7, 9);
        }
    }

    @Test
    void config_deepSeekAskedOfAnotherArchitecture() throws IOException {
        try (Checkpoint checkpoint = write()) {
            assertThatThrownBy(checkpoint::config)
                    .isInstanceOf(EngineException.class)
                    .hasMessageContaining("config.json: model_type: expected deepseek_v4, got \"qwen3_moe\"");
        }
    }

    /// Totals as published with the checkpoints.
    @ParameterizedTest
    @CsvSource({
        "qwen3_moe, 48, 2048, 32, 4, 128, 6144, 151936, false, 30532122624",
        "qwen3, 28, 1024, 16, 8, 128, 3072, 151936, true, 596049920",
        "llama, 16, 2048, 32, 8, 64, 8192, 128256, true, 1235814400",
        "llama, 32, 4096, 32, 8, 128, 14336, 128256, false, 8030261248",
    })
    void parameterCount_publishedModels(
            String type,
            int layers,
            int hidden,
            int heads,
            int keyValueHeads,
            int headDim,
            int inner,
            int vocab,
            boolean tied,
            long total)
            throws IOException {
        config.put("model_type", type).put("num_hidden_layers", layers).put("hidden_size", hidden);
        config.put("num_attention_heads", heads)
                .put("num_key_value_heads", keyValueHeads)
                .put("head_dim", headDim);
        config.put("intermediate_size", inner).put("vocab_size", vocab).put("tie_word_embeddings", tied);
        config.put("num_local_experts", 128).put("num_experts_per_tok", 8).put("moe_intermediate_size", 768);
        config.putArray("mlp_only_layers");
        try (Checkpoint checkpoint = write()) {
            ParameterCount count = ParameterCount.of(checkpoint.model());
            assertThat(count.total()).isEqualTo(total);
            if (type.equals("qwen3_moe")) {
                // "A3B", here without the embedding table
                assertThat(count.active()).isBetween(3_000_000_000L, 3_300_000_000L);
            }
        }
    }
}
