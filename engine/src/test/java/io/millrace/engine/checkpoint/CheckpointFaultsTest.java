package io.millrace.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.checkpoint.SafetensorsWriter.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Each way a model folder can be wrong, and the words it is told in.
class CheckpointFaultsTest {
    @TempDir
    Path dir;

    private final RandomCheckpoint model = new RandomCheckpoint();
    private final Map<String, Tensor> tensors = model.tensors();
    private final ObjectNode config = model.config();

    // ---- tensors against the configuration

    @Test
    void bind_missingTensor() {
        tensors.remove("layers.1.attn.wq_a.weight");
        checkBind(
                ErrorCode.MODEL_MISMATCH,
                "1 tensor does not fit config.json: layers.1.attn.wq_a.weight: expected a matrix [16, 32],"
                        + " got no tensor of that or another known name");
    }

    @Test
    void bind_wrongShape() {
        tensors.computeIfPresent("layers.0.attn.wq_a.weight", (name, tensor) -> tensor.withShape(32, 16));
        tensors.computeIfPresent("norm.weight", (name, tensor) -> tensor.withShape(1, 32));
        checkBind(
                ErrorCode.MODEL_MISMATCH,
                "2 tensors do not fit config.json:",
                "layers.0.attn.wq_a.weight: expected F32 [16, 32], got F32 [32, 16] (model.safetensors)",
                "norm.weight: expected F32, BF16 or F16 [32], got F32 [1, 32] (model.safetensors)");
    }

    @Test
    void bind_wrongDtype() {
        tensors.computeIfPresent("head.weight", (name, tensor) -> tensor.withDtype("U32"));
        tensors.computeIfPresent("layers.0.attn.attn_sink", (name, tensor) -> tensor.withDtype("I32"));
        tensors.computeIfPresent(
                "layers.0.ffn.gate.tid2eid", (name, tensor) -> Tensor.f32(new float[128], tensor.shape()));
        checkBind(
                ErrorCode.MODEL_MISMATCH,
                "head.weight: expected F32, BF16, F16, F8_E4M3 or packed FP4 [64, 32], got U32 [64, 32]",
                "layers.0.attn.attn_sink: expected F32, BF16 or F16 [4], got I32 [4]",
                "layers.0.ffn.gate.tid2eid: expected I64 or I32 [64, 2], got F32 [64, 2]");
    }

    @Test
    void bind_faultyScales() {
        RandomCheckpoint release = new RandomCheckpoint();
        release.format = RandomCheckpoint.Format.RELEASE;
        Map<String, Tensor> quantized = release.tensors();
        quantized.remove("layers.0.attn.wq_a.scale");
        quantized.computeIfPresent(
                "layers.0.attn.wkv.scale", (name, tensor) -> new Tensor("F8_E8M0", new long[] {2, 1}, new byte[2]));
        quantized.computeIfPresent("layers.0.attn.wo_b.scale", (name, tensor) -> tensor.withDtype("I8"));
        RandomCheckpoint.write(dir, release.config(), quantized);
        checkBindOfFolder(
                ErrorCode.MODEL_MISMATCH,
                "3 tensors do not fit",
                "layers.0.attn.wq_a.scale: expected F8_E8M0 or F32 [1, 1] for blocks [128, 128], got no tensor",
                "layers.0.attn.wkv.scale: expected F8_E8M0 or F32 [1, 1] for blocks [128, 128], got F8_E8M0 [2, 1]",
                "layers.0.attn.wo_b.scale: expected F8_E8M0 or F32 [1, 1] for blocks [128, 128], got I8 [1, 1]");
    }

    @Test
    void bind_expertOutOfRange() {
        long[] table = new long[128];
        table[77] = 8;
        tensors.put("layers.0.ffn.gate.tid2eid", Tensor.i64(table, 64, 2));
        checkBind(
                ErrorCode.MODEL_MISMATCH,
                "layers.0.ffn.gate.tid2eid: expected experts from 0 to 7, got 8 for token 38 (model.safetensors)");
    }

    @Test
    void bind_manyFaultsAreCounted() {
        tensors.keySet().removeIf(name -> name.contains(".experts."));
        EngineException e = checkBind(ErrorCode.MODEL_MISMATCH, "72 tensors do not fit", "and 52 more");
        assertThat(e.getMessage()).containsPattern("^([^;]*; ){20}and 52 more$");
    }

    @Test
    void bind_fusedExpertsThatSplitABlock() {
        RandomCheckpoint base = new RandomCheckpoint();
        base.format = RandomCheckpoint.Format.BASE;
        base.nRoutedExperts = 2;
        base.hiddenSize = 128;
        base.moeIntermediateSize = 64;
        base.compressRatios = new int[] {0};
        Map<String, Tensor> fused = base.tensors();
        String prefix = "layers.0.ffn.experts.";
        fused.put(prefix + "gate_up_proj", new Tensor("F8_E4M3", new long[] {2, 128, 128}, new byte[2 * 128 * 128]));
        fused.put(prefix + "gate_up_proj_scale_inv", Tensor.f32(new float[2], 2, 1, 1));
        fused.put(prefix + "down_proj", new Tensor("F8_E4M3", new long[] {2, 128, 64}, new byte[2 * 128 * 64]));
        fused.put(prefix + "down_proj_scale_inv", Tensor.f32(new float[2], 2, 1, 1));
        RandomCheckpoint.write(dir, base.config(), fused);
        checkBindOfFolder(
                ErrorCode.MODEL_MISMATCH, "gate_up_proj: expected experts of a multiple of 128 rows", "got F8_E4M3");
    }

    // ---- weight files

    @Test
    void open_truncatedFile() throws IOException {
        RandomCheckpoint.write(dir, config, tensors);
        Path file = dir.resolve("model.safetensors");
        byte[] whole = Files.readAllBytes(file);
        for (int length : new int[] {0, 7, 8, 100, whole.length / 2, whole.length - 1}) {
            Files.write(file, Arrays.copyOf(whole, length));
            checkOpen(ErrorCode.MODEL_UNREADABLE, "model.safetensors: expected ", "truncated, or still being copied");
        }
        Files.write(file, Arrays.copyOf(whole, whole.length + 3));
        checkOpen(ErrorCode.MODEL_MISMATCH, "model.safetensors: expected ", "the header does not speak of the rest");
    }

    @Test
    void open_badHeader() {
        checkHeader("{\"a\":", "model.safetensors: header is no valid JSON");
        checkHeader("[]", "model.safetensors: header: expected START_OBJECT, got START_ARRAY");
        checkHeader("{} {}", "header: expected nothing behind its object");
        checkHeader("{\"a\": 1}", "a: expected START_OBJECT, got VALUE_NUMBER_INT \"1\"");
        checkHeader(line("F32", "[1]", "[0,4]", ",\"b\":1"), "a: expected dtype, shape and data_offsets, got \"b\"");
        checkHeader("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", "a: expected dtype, shape and two data_offsets");
        checkHeader(line("F33", "[1]", "[0,4]", ""), "a: expected a dtype of the safetensors format, got \"F33\"");
        checkHeader(line("F32", "[-1]", "[0,4]", ""), "a: shape: expected numbers from 0 to 2^63-1, got \"-1\"");
        checkHeader(line("F32", "[1.5]", "[0,4]", ""), "a: shape: expected VALUE_NUMBER_INT");
        checkHeader(line("F32", "[99999999999999999999]", "[0,4]", ""), "a: shape: expected numbers from 0");
        checkHeader(line("F32", "[4294967296,4294967296]", "[0,4]", ""), "a: expected a shape of less than 2^63 bits");
        checkHeader(line("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]", ""), "a: shape: expected at most 8 numbers");
        checkHeader(line("F32", "[1]", "[0,8]", ""), "a: expected 4 bytes for F32 [1], got data_offsets [0, 8]");
        checkHeader(line("F32", "[1]", "[4,0]", ""), "a: expected 4 bytes for F32 [1], got data_offsets [4, 0]");
        checkHeader(line("F4", "[3]", "[0,1]", ""), "a: expected whole bytes, got F4 [3]");
        checkHeader(
                "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},\"a\":{}}",
                "header is no valid JSON: Duplicate field 'a'");
    }

    @Test
    void open_badHeaderLength() throws IOException {
        RandomCheckpoint.write(dir, config, tensors);
        byte[] bytes = Files.readAllBytes(dir.resolve("model.safetensors"));
        bytes[7] = (byte) 0x80;
        Files.write(dir.resolve("model.safetensors"), bytes);
        checkOpen(
                ErrorCode.MODEL_MISMATCH,
                "model.safetensors: expected a header of 2 to 100000000 bytes, got a length of 9223372036854");
    }

    @Test
    void open_overlappingOrGappedOffsets() {
        checkHeader(
                twoTensors("[0,4]", "[2,6]"), "b: overlaps the tensor before it: expected data_offsets from 4, got 2");
        checkHeader(twoTensors("[0,4]", "[5,9]"), "b: leaves a gap before it: expected data_offsets from 4, got 5");
        checkHeader(twoTensors("[1,5]", "[5,9]"), "a: leaves a gap before it: expected data_offsets from 0, got 1");
    }

    private static String twoTensors(String first, String second) {
        return "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":" + first
                + "},\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":" + second + "}}";
    }

    private static String line(String dtype, String shape, String offsets, String more) {
        return "{\"a\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + more + "}}";
    }

    private void checkHeader(String header, String message) {
        writeConfig();
        SafetensorsWriter.write(dir.resolve("model.safetensors"), header, new byte[64]);
        checkOpen(ErrorCode.MODEL_MISMATCH, "model.safetensors: ", message);
    }

    // ---- folders and indexes

    @Test
    void open_nothingThere() throws IOException {
        EngineException noFolder = catchThrowableOfType(
                EngineException.class,
                () -> Checkpoint.open(dir.resolve("absent")).close());
        check(noFolder, ErrorCode.MODEL_UNREADABLE, "absent: expected a model folder, got none");
        checkOpen(ErrorCode.MODEL_UNREADABLE, "config.json: expected a file, got nothing");
        writeConfig();
        checkOpen(ErrorCode.MODEL_UNREADABLE, "expected model.safetensors.index.json, model.safetensors or model-*");
        Files.createDirectory(dir.resolve("model.safetensors"));
        checkOpen(ErrorCode.MODEL_UNREADABLE, "model.safetensors: expected a readable file, got a folder");
    }

    @Test
    void open_missingShard() throws IOException {
        writeConfig();
        writeIndex("{\"weight_map\":{\"a\":\"model-1.safetensors\",\"b\":\"model-2.safetensors\"}}");
        writeSmall("model-1.safetensors", "a");
        checkOpen(
                ErrorCode.MODEL_UNREADABLE,
                "expected 2 weight files by model.safetensors.index.json, got 1; missing: model-2.safetensors");
    }

    @Test
    void open_missingShardWithoutIndex() {
        writeConfig();
        writeSmall("model-00001-of-00003.safetensors", "a");
        writeSmall("model-00003-of-00003.safetensors", "b");
        checkOpen(
                ErrorCode.MODEL_UNREADABLE,
                "expected 3 weight files by the names of the others, got 2; missing: model-00002-of-00003.safetensors");
    }

    @Test
    void open_indexContradictsFiles() throws IOException {
        writeConfig();
        writeIndex("{\"weight_map\":{\"a\":\"1.safetensors\",\"b\":\"2.safetensors\",\"c\":\"1.safetensors\"}}");
        writeSmall("1.safetensors", "a");
        writeSmall("2.safetensors", "c");
        checkOpen(
                ErrorCode.MODEL_MISMATCH,
                "2 tensors are not where it says: b: expected in 2.safetensors, got it in no file;"
                        + " c: expected in 1.safetensors, got it in 2.safetensors");
    }

    @Test
    void open_tensorInTwoFiles() throws IOException {
        writeConfig();
        writeIndex("{\"weight_map\":{\"a\":\"1.safetensors\",\"b\":\"2.safetensors\"}}");
        writeSmall("1.safetensors", "a");
        writeSmall("2.safetensors", "a");
        checkOpen(ErrorCode.MODEL_MISMATCH, "a: expected in one file, got in 1.safetensors and 2.safetensors");
    }

    @Test
    void open_indexLeadingElsewhere() throws IOException {
        writeConfig();
        for (String file : new String[] {"../a.safetensors", "/a.safetensors", "a\\\\b.safetensors", "a.bin", ""}) {
            writeIndex("{\"weight_map\":{\"a\":\"" + file + "\"}}");
            checkOpen(
                    ErrorCode.MODEL_MISMATCH,
                    "index.json: a: expected the name of a .safetensors file in the same folder, got \"");
        }
        writeIndex("{\"weight_map\":{}}");
        checkOpen(ErrorCode.MODEL_MISMATCH, "weight_map: expected an object of tensor and file names, got {}");
        writeIndex("{]  }");
        checkOpen(ErrorCode.MODEL_MISMATCH, "index.json: expected valid JSON, got: ", "at line 1, column 2");
    }

    // ---- config.json

    @Test
    void open_configWithThreeProblems() {
        config.put("num_experts_per_tok", 9);
        config.put("hidden_size", -1);
        config.remove("sliding_window");
        EngineException e = checkConfig(
                "config.json: 3 problems: ",
                "num_experts_per_tok: expected at most n_routed_experts (8), got 9",
                "hidden_size: expected a number from 1 to 65536, got -1",
                "sliding_window: expected a number from 1 to 1048576, got nothing");
        assertThat(e.getMessage()).containsPattern("^([^;]*; ){2}[^;]*$");
    }

    /// It opens, for whoever knows that family; only its configuration is not ours.
    @Test
    void config_ofAnotherFamily() {
        config.put("model_type", "deepseek_v3");
        RandomCheckpoint.write(dir, config, tensors);
        try (Checkpoint checkpoint = Checkpoint.open(dir)) {
            assertThat(checkpoint.architecture()).isEqualTo("deepseek_v3");
            check(
                    catchThrowableOfType(EngineException.class, checkpoint::config),
                    ErrorCode.MODEL_MISMATCH,
                    "config.json: model_type: expected deepseek_v4, got \"deepseek_v3\"");
        }
    }

    @Test
    void open_configOfNoFamily() {
        config.remove("model_type");
        checkConfig("config.json: model_type: expected a text, such as deepseek_v4, got nothing");
    }

    @Test
    void open_configWithChoicesWeDoNotCompute() {
        config.put("scoring_func", "softmax");
        config.put("norm_topk_prob", false);
        config.put("topk_method", "greedy");
        config.put("hidden_act", "gelu");
        config.put("num_key_value_heads", 2);
        config.put("attention_bias", true);
        config.putObject("quantization_config").put("quant_method", "gptq");
        config.putObject("rope_scaling").put("type", "linear");
        checkConfig(
                "8 problems: ",
                "scoring_func: expected sqrtsoftplus, got \"softmax\"",
                "norm_topk_prob: expected true, got false",
                "topk_method: expected noaux_tc, got \"greedy\"",
                "hidden_act: expected silu, got \"gelu\"",
                "num_key_value_heads: expected 1, got 2",
                "attention_bias: expected false, got true",
                "quantization_config.quant_method: expected fp8, got \"gptq\"",
                "rope_scaling.rope_type: expected yarn or default, got \"linear\"");
    }

    @Test
    void open_configWithBadLayers() {
        config.putArray("compress_ratios").add(0).add(4);
        checkConfig("compress_ratios: expected a list of num_hidden_layers (3) numbers", "got 2 elements");
        config.putArray("compress_ratios").add(0).add(1).add(-4);
        checkConfig(
                "compress_ratios[1]: expected 0 or at least 2, got 1",
                "compress_ratios[2]: expected a number from 0 to 16384, got -4");
        config.remove("compress_ratios");
        checkConfig("compress_ratios: expected a list", "got nothing");
        config.putArray("layer_types")
                .add("sliding_attention")
                .add("full_attention")
                .add("sliding_attention");
        config.putArray("mlp_layer_types").add("moe").add("dense").add("hash_moe");
        checkConfig(
                "layer_types[1]: expected sliding_attention, compressed_sparse_attention or heavily",
                "mlp_layer_types[1]: expected hash_moe or moe, got \"dense\"");
    }

    @Test
    void open_configWithContradictions() {
        config.put("o_groups", 3);
        config.put("qk_rope_head_dim", 7);
        config.put("index_head_dim", 6);
        config.put("vocab_size", 1e300);
        config.put("rms_norm_eps", "tiny");
        config.put("num_nextn_predict_layers", 1);
        config.withArray("compress_ratios").add(4);
        checkConfig(
                "o_groups: expected a divisor of num_attention_heads (4), got 3",
                "qk_rope_head_dim: expected an even number from 2 to head_dim (16), got 7",
                "index_head_dim: expected at least qk_rope_head_dim (7), got 6",
                "vocab_size: expected a number from 1 to 16777216, got 1.0E300",
                "rms_norm_eps: expected a number from 1.0E-30 to 1.0, got \"tiny\"",
                "compress_ratios[3]: expected 0 for a prediction layer, got 4");
    }

    @Test
    void open_configThatIsNoObject() throws IOException {
        Files.writeString(dir.resolve("config.json"), "[]");
        checkOpen(ErrorCode.MODEL_MISMATCH, "config.json: expected an object, got []");
        Files.writeString(dir.resolve("config.json"), "{\"model_type\":]  }");
        checkOpen(ErrorCode.MODEL_MISMATCH, "config.json: expected valid JSON, got: ", "at line 1, column 15");
        Files.writeString(dir.resolve("config.json"), "{\"vocab_size\":1,\"vocab_size\":2}");
        checkOpen(ErrorCode.MODEL_MISMATCH, "config.json: expected valid JSON, got: Duplicate field 'vocab_size'");
        Files.writeString(dir.resolve("config.json"), "");
        checkOpen(ErrorCode.MODEL_UNREADABLE, "config.json: expected valid JSON, got: ", "truncated");
    }

    private void writeConfig() {
        try {
            Files.writeString(dir.resolve("config.json"), config.toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void writeIndex(String json) throws IOException {
        Files.writeString(dir.resolve("model.safetensors.index.json"), json);
    }

    private void writeSmall(String file, String tensor) {
        SafetensorsWriter.write(dir.resolve(file), Map.of(tensor, Tensor.f32(new float[2], 2)));
    }

    private EngineException checkConfig(String... parts) {
        RandomCheckpoint.write(dir, config, tensors);
        return checkOpen(ErrorCode.MODEL_MISMATCH, parts);
    }

    private EngineException checkBind(ErrorCode code, String... parts) {
        RandomCheckpoint.write(dir, config, tensors);
        return checkBindOfFolder(code, parts);
    }

    private EngineException checkBindOfFolder(ErrorCode code, String... parts) {
        try (Checkpoint checkpoint = Checkpoint.open(dir)) {
            return check(
                    catchThrowableOfType(
                            EngineException.class, () -> WeightBinder.bind(checkpoint, checkpoint.config())),
                    code,
                    parts);
        }
    }

    private EngineException checkOpen(ErrorCode code, String... parts) {
        return check(
                catchThrowableOfType(
                        EngineException.class, () -> Checkpoint.open(dir).close()),
                code,
                parts);
    }

    private static EngineException check(EngineException e, ErrorCode code, String... parts) {
        assertThat(e).isNotNull();
        assertThat(e).hasMessageContainingAll(parts);
        assertThat(e.code()).isEqualTo(code);
        return e;
    }

    /// The writer's own view of a header is what the reader takes.
    @Test
    void open_metadataAndEmptyTensors() throws IOException {
        tensors.put("empty", new Tensor("F32", new long[] {0, 7}, new byte[0]));
        ObjectNode header = SafetensorsWriter.header(tensors);
        header.putObject("__metadata__").put("format", "pt");
        RandomCheckpoint.write(dir, config, tensors);
        byte[] data = new byte
                [tensors.values().stream()
                        .mapToInt(tensor -> tensor.data().length)
                        .sum()];
        String padded = new ObjectMapper().writeValueAsString(header) + "   ";
        SafetensorsWriter.write(dir.resolve("model.safetensors"), padded, data);
        try (Checkpoint checkpoint = Checkpoint.open(dir)) {
            assertThat(WeightBinder.bind(checkpoint, checkpoint.config()).layers())
                    .hasSize(3);
        }
    }
}
