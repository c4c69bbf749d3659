package io.millrace.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.checkpoint.SafetensorsWriter.Tensor;
import io.millrace.engine.model.ModelConfig;
import io.millrace.engine.model.ModelConfig.LayerKind;
import io.millrace.engine.model.Weights;
import io.millrace.engine.tensor.DType;
import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.HostFloats;
import io.millrace.engine.tensor.Matrix;
import io.millrace.engine.tensor.MatrixRows;
import io.millrace.engine.tensor.Swiglu;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CheckpointTest {
    @TempDir
    Path dir;

    @Test
    void config_tinyFp32() {
        try (Checkpoint checkpoint = Checkpoint.open(TestVectors.path("tiny-fp32"))) {
            ModelConfig config = checkpoint.config();
            assertThat(checkpoint.name()).isEqualTo("tiny-fp32");
            assertThat(config.layers())
                    .containsExactly(
                            new ModelConfig.Layer(0, LayerKind.SLIDING, 0, true),
                            new ModelConfig.Layer(1, LayerKind.CSA, 4, true),
                            new ModelConfig.Layer(2, LayerKind.HCA, 128, false),
                            new ModelConfig.Layer(3, LayerKind.CSA, 4, false),
                            new ModelConfig.Layer(4, LayerKind.HCA, 128, false));
            assertThat(config.mtpLayers()).isEmpty();
            assertThat(config.attention()).isEqualTo(new ModelConfig.Attention(4, 16, 8, 16, 2, 8, 16));
            assertThat(config.indexer()).isEqualTo(new ModelConfig.Indexer(16, 16, 6));
            assertThat(config.moe()).isEqualTo(new ModelConfig.Moe(8, 1, 2, 16, 1.5, 1));
            assertThat(config.hyperConnections()).isEqualTo(new ModelConfig.HyperConnections(4, 20, 1e-6));
            assertThat(config.rope()).isEqualTo(new ModelConfig.Rope(1e4, 1.6e5, new ModelConfig.Yarn(16, 32, 1, 64)));
            assertThat(config.quantized()).isFalse();
            assertThat(config.bosTokenId()).isEqualTo(-1);
            assertThat(checkpoint.quantization()).isEqualTo("f32");
            assertThat(checkpoint.bytesByDtype()).isEqualTo(Map.of(DType.F32, 584_316L, DType.I64, 2048L));
            assertThat(ParameterCount.of(config).total()).isEqualTo(584_316 / 4);
        }
    }

    @Test
    void bind_tinyOfficialQuant() {
        try (Checkpoint checkpoint = Checkpoint.open(TestVectors.path("tiny-official-quant"))) {
            ModelConfig config = checkpoint.config();
            Weights weights = WeightBinder.bind(checkpoint, config);
            assertThat(checkpoint.quantization()).isEqualTo("fp8+fp4");
            assertThat(config.quantized()).isTrue();
            assertThat(config.mtpLayers()).containsExactly(new ModelConfig.Layer(4, LayerKind.SLIDING, 0, false));
            long bytes = checkpoint.bytesByDtype().values().stream()
                    .mapToLong(Long::longValue)
                    .sum();
            assertThat(bytes).as("total_size of the index").isEqualTo(3_577_437);

            // values decoded from the files with torch's float8_e4m3fn, float8_e8m0fnu and bfloat16
            Weights.Layer csa = weights.layers().get(1);
            Weights.Indexer indexer = Objects.requireNonNull(csa.attention().indexer());
            checkValue(csa.attention().wqB(), 300, 77, 0x1.Ap-10f);
            checkValue(weights.layers().get(2).attention().woA(), 200, 255, -0.0703125f);
            checkValue(indexer.wqB(), 2047, 127, -0.04296875f);
            checkValue(weights.layers().get(0).moe().experts().expert(3).down(), 5, 0, -0.03125f);
            checkValue(weights.layers().get(0).moe().experts().expert(3).down(), 5, 1, 0.03125f);
            checkValue(
                    weights.mtp().getFirst().layer().moe().experts().expert(1).up(), 64, 33, -0.0625f);
            checkValue(weights.embed(), 100, 7, 0.734375f);
            checkValue(weights.layers().get(3).attention().kvNorm(), 5, 1.1171875f);
            Weights.Compressor compressor =
                    Objects.requireNonNull(csa.attention().compressor());
            checkValue(compressor.ape(), 3 * 256 + 200, 0.020760255f);
            Weights.ExpertTable table =
                    Objects.requireNonNull(weights.layers().getFirst().moe().tid2eid());
            assertThat(List.of(table.expert(0, 0), table.expert(0, 1), table.expert(77, 1), table.expert(127, 0)))
                    .containsExactly(1, 0, 3, 1);
        }
    }

    /// What transformers saves, with its own names and fused experts and with its mixture of names, is the
    /// same model.
    @Test
    void bind_huggingFaceNamesGiveTheSameWeights() {
        RandomCheckpoint.write(
                dir, (ObjectNode) ModelConfigReader.readTree(TestVectors.path("tiny-fp32/config.json")), mixedNames());
        try (Checkpoint official = Checkpoint.open(TestVectors.path("tiny-fp32"));
                Checkpoint huggingFace = Checkpoint.open(TestVectors.path("tiny-fp32-hf"));
                Checkpoint mixed = Checkpoint.open(dir)) {
            ModelConfig config = official.config();
            ModelConfig hfConfig = huggingFace.config();
            assertThat(hfConfig.layers()).isEqualTo(config.layers());
            assertThat(hfConfig.attention()).isEqualTo(config.attention());
            assertThat(hfConfig.indexer()).isEqualTo(config.indexer());
            assertThat(hfConfig.moe()).isEqualTo(config.moe());
            assertThat(hfConfig.rope()).isEqualTo(config.rope());
            assertThat(hfConfig.hyperConnections()).isEqualTo(config.hyperConnections());
            assertThat(hfConfig.bosTokenId()).isZero();
            assertThat(hfConfig.eosTokenId()).isEqualTo(1);

            Weights expected = WeightBinder.bind(official, config);
            // all tensors of the release form, 5 layers x 8 experts x 3 matrices among them
            assertThat(WeightsComparison.assertSame(WeightBinder.bind(huggingFace, hfConfig), expected, config))
                    .isEqualTo(259);
            assertThat(WeightsComparison.assertSame(WeightBinder.bind(mixed, config), expected, config))
                    .isEqualTo(259);
        }
    }

    /// The names `save_pretrained` writes by default.
    private static Map<String, Tensor> mixedNames() {
        Map<String, Tensor> mixed = new LinkedHashMap<>();
        tensorsOf(TestVectors.path("tiny-fp32")).forEach((name, tensor) -> {
            String renamed = name.startsWith("layers.") ? name.replace(".kv_norm.", ".norm.") : name;
            renamed = renamed.replace("embed.weight", "embed_tokens.weight").replace("hc_head_", "hc_head.hc_");
            mixed.put(renamed.equals("head.weight") ? renamed : "model." + renamed, tensor);
        });
        return mixed;
    }

    static Map<String, Tensor> tensorsOf(Path model) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            for (StoredTensor stored : checkpoint.tensors()) {
                long[] shape =
                        stored.shape().stream().mapToLong(Long::longValue).toArray();
                byte[] data = stored.data().toArray(ValueLayout.JAVA_BYTE);
                tensors.put(stored.name(), new Tensor(stored.type().name(), shape, data));
            }
        }
        return tensors;
    }

    @ParameterizedTest
    @EnumSource(RandomCheckpoint.Format.class)
    void bind_everyFormatDecodesToTheSameModel(RandomCheckpoint.Format format) {
        RandomCheckpoint model = new RandomCheckpoint();
        model.hiddenSize = 96;
        model.moeIntermediateSize = 160;
        model.compressRatios = new int[] {128, 4};
        model.mtpLayers = 1;
        Path exact = newDir("exact");
        model.write(exact);
        model.format = format;
        Path stored = newDir("stored");
        model.write(stored);
        try (Checkpoint expected = Checkpoint.open(exact);
                Checkpoint actual = Checkpoint.open(stored)) {
            Weights a = WeightBinder.bind(actual, actual.config());
            Weights e = WeightBinder.bind(expected, expected.config());
            // an FP8 code is within 1/16 of its value, an FP4 code within 1/4; below the least step of their
            // block they are off by half of it, which is at most 1/3 of the standard deviation for FP4,
            // almost 0 for FP8
            float fp8 = format == RandomCheckpoint.Format.F32 ? 0 : 1f / 16;
            float fp4 = format == RandomCheckpoint.Format.RELEASE ? 1f / 4 : fp8;
            checkClose(
                    a.layers().get(1).attention().wqB(),
                    e.layers().get(1).attention().wqB(),
                    fp8);
            checkClose(a.mtp().getFirst().eProj(), e.mtp().getFirst().eProj(), fp8);
            for (int expert = 0; expert < 8; expert++) {
                Swiglu one = a.layers().get(0).moe().experts().expert(expert);
                Swiglu other = e.layers().get(0).moe().experts().expert(expert);
                checkClose(one.gate(), other.gate(), fp4);
                checkClose(one.up(), other.up(), fp4);
                checkClose(one.down(), other.down(), fp4);
            }
            assertThat(actual.quantization())
                    .isEqualTo(
                            switch (format) {
                                case F32 -> "f32";
                                case BF16 -> "bf16";
                                case RELEASE -> "fp8+fp4";
                                case BASE -> "fp8";
                            });
        }
    }

    private static void checkClose(Matrix actual, Matrix expected, float relative) {
        assertThat(actual.rows()).isEqualTo(expected.rows());
        for (int row = 0; row < expected.rows(); row++) {
            for (int col = 0; col < expected.cols(); col++) {
                float value = MatrixRows.value(expected, row, col);
                float floor = (relative == 0.25f ? 1.5f : 0.01f) / (float) Math.sqrt(expected.cols());
                float allowed = relative * Math.max(Math.abs(value), floor);
                if (Math.abs(MatrixRows.value(actual, row, col) - value) > allowed) {
                    assertThat(MatrixRows.value(actual, row, col))
                            .as(actual.name() + " [" + row + ", " + col + "]")
                            .isEqualTo(value);
                }
            }
        }
    }

    /// Fused experts in FP8, as transformers saves a quantised model: slices take their own scales.
    @Test
    void bind_fusedFp8Experts() {
        RandomCheckpoint model = new RandomCheckpoint();
        model.format = RandomCheckpoint.Format.BASE;
        model.hiddenSize = 128;
        model.moeIntermediateSize = 128;
        model.nRoutedExperts = 2;
        model.compressRatios = new int[] {0};
        Map<String, Tensor> tensors = model.tensors();
        Path single = newDir("single");
        RandomCheckpoint.write(single, model.config(), tensors);
        fuse(tensors, ".weight", "");
        fuse(tensors, ".scale", "_scale_inv");
        Path fused = newDir("fused");
        RandomCheckpoint.write(fused, model.config(), tensors);
        try (Checkpoint expected = Checkpoint.open(single);
                Checkpoint actual = Checkpoint.open(fused)) {
            ModelConfig config = expected.config();
            int compared = WeightsComparison.assertSame(
                    WeightBinder.bind(actual, config), WeightBinder.bind(expected, config), config);
            assertThat(compared).isEqualTo(33);
        }
    }

    private static void fuse(Map<String, Tensor> tensors, String kind, String fusedKind) {
        String prefix = "layers.0.ffn.experts.";
        ByteArrayOutputStream gateUp = new ByteArrayOutputStream();
        ByteArrayOutputStream down = new ByteArrayOutputStream();
        String dtype = "";
        long[] shape = {};
        for (int expert = 0; expert < 2; expert++) {
            Tensor gate = Objects.requireNonNull(tensors.remove(prefix + expert + ".w1" + kind));
            gateUp.writeBytes(gate.data());
            gateUp.writeBytes(Objects.requireNonNull(tensors.remove(prefix + expert + ".w3" + kind))
                    .data());
            down.writeBytes(Objects.requireNonNull(tensors.remove(prefix + expert + ".w2" + kind))
                    .data());
            dtype = gate.dtype();
            shape = gate.shape();
        }
        tensors.put(
                "model.layers.0.mlp.experts.gate_up_proj" + fusedKind,
                new Tensor(dtype, new long[] {2, 2 * shape[0], shape[1]}, gateUp.toByteArray()));
        tensors.put(
                "model.layers.0.mlp.experts.down_proj" + fusedKind,
                new Tensor(dtype, new long[] {2, shape[0], shape[1]}, down.toByteArray()));
    }

    @Test
    void bind_otherStorageTypes() {
        RandomCheckpoint model = new RandomCheckpoint();
        Map<String, Tensor> tensors = model.tensors();
        tensors.computeIfPresent("layers.0.ffn.gate.tid2eid", (name, tensor) -> toI32(tensor));
        tensors.computeIfPresent("layers.0.hc_attn_fn", (name, tensor) -> toBf16(tensor));
        tensors.put("layers.0.attn.rotary.inv_freq", Tensor.f32(new float[4], 4));
        tensors.put("vision.mask", new Tensor("BOOL", new long[] {3}, new byte[3]));
        RandomCheckpoint.write(dir, model.config(), tensors);
        try (Checkpoint checkpoint = Checkpoint.open(dir)) {
            Weights weights = WeightBinder.bind(checkpoint, checkpoint.config());
            assertThat(weights.layers().getFirst().hcAttn().fn().dtype()).isEqualTo(DType.BF16);
            assertThat(weights.layers().getFirst().moe().tid2eid()).isNotNull();
        }
    }

    @Test
    void bind_tiedHeadIsTheEmbedding() {
        RandomCheckpoint model = new RandomCheckpoint();
        model.tieWordEmbeddings = true;
        model.write(dir);
        try (Checkpoint checkpoint = Checkpoint.open(dir)) {
            Weights weights = WeightBinder.bind(checkpoint, checkpoint.config());
            assertThat(weights.head()).isSameAs(weights.embed());
        }
    }

    @Test
    void bind_predictionBlocks() {
        RandomCheckpoint model = new RandomCheckpoint();
        model.mtpLayers = 2;
        Map<String, Tensor> tensors = model.tensors();
        assertThat(mtpBlocks(model.config(), tensors)).isEqualTo(2);
        assertThat(mtpBlocks(model.config().put("num_nextn_predict_layers", 0), tensors))
                .isZero();

        tensors.keySet().removeIf(name -> name.startsWith("mtp.1."));
        assertThat(mtpBlocks(model.config(), tensors))
                .as("only the first is stored")
                .isEqualTo(1);

        tensors.put("mtp.0.main_proj.weight", Tensor.f32(new float[4], 2, 2));
        assertThat(mtpBlocks(model.config(), tensors)).as("drafting stages").isZero();

        tensors.keySet().removeIf(name -> name.startsWith("mtp."));
        assertThat(mtpBlocks(model.config(), tensors)).as("none is stored").isZero();
    }

    private int mtpBlocks(ObjectNode config, Map<String, Tensor> tensors) {
        RandomCheckpoint.write(dir, config, tensors);
        try (Checkpoint checkpoint = Checkpoint.open(dir)) {
            return WeightBinder.bind(checkpoint, checkpoint.config()).mtp().size();
        }
    }

    @Test
    void open_shardsWithoutIndex() throws Exception {
        Path source = TestVectors.path("tiny-official-quant");
        for (int shard = 1; shard <= 5; shard++) {
            String file = "model-0000" + shard + "-of-00005.safetensors";
            Files.copy(source.resolve(file), dir.resolve(file));
        }
        Files.copy(source.resolve("config.json"), dir.resolve("config.json"));
        try (Checkpoint checkpoint = Checkpoint.open(dir)) {
            assertThat(WeightBinder.bind(checkpoint, checkpoint.config()).layers())
                    .hasSize(4);
        }
    }

    @Test
    void open_interruptedThreadStaysInterrupted() {
        Thread.currentThread().interrupt();
        try (Checkpoint checkpoint = Checkpoint.open(TestVectors.path("tiny-fp32"))) {
            assertThat(checkpoint.weightsSha256()).hasSize(64);
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void weightsSha256_definitionAndSensitivity() throws Exception {
        RandomCheckpoint model = new RandomCheckpoint();
        model.write(dir);
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        for (String file : List.of("config.json", "model.safetensors")) {
            byte[] bytes = Files.readAllBytes(dir.resolve(file));
            digest.update((file + "\0").getBytes(StandardCharsets.UTF_8));
            digest.update(ByteBuffer.allocate(8).putLong(bytes.length).array());
            digest.update(bytes);
        }
        String expected = HexFormat.of().formatHex(digest.digest());
        assertThat(sha256()).isEqualTo(expected);
        model.seed = 2;
        model.write(dir);
        assertThat(sha256()).isNotEqualTo(expected);
    }

    private String sha256() {
        try (Checkpoint checkpoint = Checkpoint.open(dir)) {
            return checkpoint.weightsSha256();
        }
    }

    @Test
    void close_endsTheMatrices() {
        Checkpoint checkpoint = Checkpoint.open(TestVectors.path("tiny-fp32"));
        Weights weights = WeightBinder.bind(checkpoint, checkpoint.config());
        checkpoint.close();
        checkpoint.close();
        assertThatThrownBy(() -> MatrixRows.value(weights.embed(), 0, 0)).isInstanceOf(IllegalStateException.class);
        assertThat(weights.norm().size()).as("vectors are copies").isEqualTo(32);
    }

    private Path newDir(String name) {
        try {
            return Files.createDirectories(dir.resolve(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Tensor toI32(Tensor i64) {
        ByteBuffer from = ByteBuffer.wrap(i64.data()).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer to = ByteBuffer.allocate(i64.data().length / 2).order(ByteOrder.LITTLE_ENDIAN);
        while (from.hasRemaining()) {
            to.putInt((int) from.getLong());
        }
        return new Tensor("I32", i64.shape(), to.array());
    }

    private static Tensor toBf16(Tensor f32) {
        ByteBuffer from = ByteBuffer.wrap(f32.data()).order(ByteOrder.LITTLE_ENDIAN);
        float[] values = new float[f32.data().length / 4];
        from.asFloatBuffer().get(values);
        return Tensor.bf16(values, f32.shape());
    }

    private static void checkValue(Matrix matrix, int row, int col, float expected) {
        float[] out = new float[matrix.cols()];
        MatrixRows.decode(matrix, row, out, 0);
        assertThat(out[col]).as(matrix.name()).isEqualTo(expected);
    }

    private static void checkValue(Floats floats, int index, float expected) {
        assertThat(((HostFloats) floats).array()[index]).isEqualTo(expected);
    }
}
