package io.millrace.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.checkpoint.GgufWriter.Tensor;
import io.millrace.engine.model.ModelConfig;
import io.millrace.engine.tensor.DType;
import io.millrace.engine.tensor.HostFloats;
import io.millrace.engine.tensor.Matrix;
import io.millrace.engine.tensor.MatrixRows;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a GGUF file says, read; and what is said of one that is not as it should be.
class GgufFileTest {
    @TempDir
    Path dir;

    /// Two matrices and a vector of a model that nothing here knows.
    private static GgufWriter other() {
        GgufWriter writer = new GgufWriter();
        writer.metadata.put("general.architecture", "other");
        writer.metadata.put("other.count", 7);
        writer.metadata.put("other.long", -1L);
        writer.metadata.put("other.eps", 1e-6f);
        writer.metadata.put("other.exact", 0.1);
        writer.metadata.put("other.on", true);
        writer.metadata.put("other.names", List.of("a", "ü"));
        writer.metadata.put("other.numbers", List.of(3, -4));
        writer.tensors.put("w", new Tensor(0, List.of(2L, 3L), floats(1, 2, 3, 4, 5, 6)));
        writer.tensors.put("v", new Tensor(0, List.of(2L), floats(7, 8)));
        byte[] q8 = new byte[4 * 34];
        new Random(1).nextBytes(q8);
        for (int block = 0; block < 4; block++) {
            q8[34 * block] = 0;
            q8[34 * block + 1] = 0x3C;
        }
        writer.tensors.put("q", new Tensor(8, List.of(2L, 2L, 32L), q8));
        return writer;
    }

    private static byte[] floats(float... values) {
        return SafetensorsWriter.Tensor.f32(values, values.length).data();
    }

    // ---- what stands in a file

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void open_metadataOfAnyArchitecture(int version) {
        GgufWriter writer = other();
        writer.version = version;
        try (Checkpoint checkpoint = Checkpoint.open(writer.write(dir.resolve("some.gguf")))) {
            assertThat(checkpoint.architecture()).isEqualTo("other");
            assertThat(checkpoint.name()).isEqualTo("some");
            GgufMetadata metadata = checkpoint.metadata();
            assertThat(metadata).isNotNull();
            assertThat(metadata.integer("other.count")).hasValue(7);
            assertThat(metadata.texts("other.names")).containsExactly("a", "ü");
            assertThat(metadata.integers("other.numbers")).containsExactly(3L, -4L);
            assertThat(metadata.flag("other.on", false)).isTrue();
            assertThat(metadata.flag("other.off", false)).isFalse();
            assertThat(metadata.text("other.name")).isNull();
            ConfigFields fields = metadata.fields("other.");
            // the decimal that was meant, not the float's own digits
            assertThat(fields.requiredDouble("eps", 0, 1)).isEqualTo(1e-6);
            assertThat(fields.requiredDouble("exact", 0, 1)).isEqualTo(0.1);
            assertThat(fields.requiredInt("long", 0, 5)).isZero();
            assertThat(fields.problems())
                    .containsExactly("other.long: expected a number from 0 to 5, got 18446744073709551615");
        }
    }

    @Test
    void source_tensorsByName() {
        try (Checkpoint checkpoint = Checkpoint.open(other().write(dir.resolve("some.gguf")))) {
            TensorSource source = checkpoint.source();
            Matrix w = source.matrix(List.of("absent", "w"), 2, 3);
            assertThat(MatrixRows.value(w, 1, 0)).isEqualTo(4);
            assertThat(((HostFloats) source.floats(List.of("v"), 2)).array()).containsExactly(7, 8);
            Matrix q = source.stacked(List.of("q"), 2, 2, 32, 2);
            assertThat(q.dtype()).isEqualTo(DType.Q8_0);
            assertThat(q.rows()).isEqualTo(4);
            byte[] stored = other().tensors.get("q").data();
            assertThat(MatrixRows.value(q.slice("second", 2, 4), 1, 31)).isEqualTo(stored[stored.length - 1]);
            source.check();
            assertThat(source.unused()).isEmpty();
        }
    }

    /// A quantiser may have taken a small table for a matrix.
    @Test
    void source_floatsOfBlocks() {
        try (Checkpoint checkpoint = Checkpoint.open(other().write(dir.resolve("some.gguf")))) {
            HostFloats values = (HostFloats) checkpoint.source().floats(List.of("q"), 2, 2, 32);
            byte[] stored = other().tensors.get("q").data();
            assertThat(values.array()).hasSize(128);
            assertThat(values.array()[33]).isEqualTo(stored[34 + 2 + 1]);
        }
    }

    @Test
    void check_tellsAllThatDoesNotFit() {
        GgufWriter writer = other();
        writer.tensors.put("iq", new Tensor(16, List.of(1L, 256L), new byte[66]));
        try (Checkpoint checkpoint = Checkpoint.open(writer.write(dir.resolve("some.gguf")))) {
            TensorSource source = checkpoint.source();
            source.matrix(List.of("w"), 3, 2);
            source.matrix(List.of("iq"), 1, 256);
            source.floats(List.of("gone"), 5);
            check(
                    catchThrowableOfType(EngineException.class, source::check),
                    ErrorCode.MODEL_MISMATCH,
                    "some.gguf: 3 tensors do not fit the metadata",
                    "w: expected F32 [3, 2], got F32 [2, 3] (some.gguf)",
                    "iq: expected F32, F16, BF16, Q8_0, Q4_0, Q4_K, Q6_K or MXFP4 [1, 256], got IQ2_XXS [1, 256]",
                    "gone: expected");
        }
    }

    @Test
    void metadata_ofAnotherType() {
        try (Checkpoint checkpoint = Checkpoint.open(other().write(dir.resolve("some.gguf")))) {
            GgufMetadata metadata = checkpoint.metadata();
            assertThat(metadata).isNotNull();
            for (Runnable wrong : List.<Runnable>of(
                    () -> metadata.text("other.count"),
                    () -> metadata.integer("other.on"),
                    () -> metadata.flag("other.names", true),
                    () -> metadata.texts("other.numbers"),
                    () -> metadata.integers("other.names"),
                    () -> metadata.requiredText("other.absent"))) {
                check(
                        catchThrowableOfType(EngineException.class, wrong::run),
                        ErrorCode.MODEL_MISMATCH,
                        "some.gguf: other.",
                        ": expected ",
                        ", got ");
            }
        }
    }

    @Test
    void config_ofAnotherArchitecture() {
        try (Checkpoint checkpoint = Checkpoint.open(other().write(dir.resolve("some.gguf")))) {
            check(
                    catchThrowableOfType(EngineException.class, checkpoint::config),
                    ErrorCode.MODEL_MISMATCH,
                    "some.gguf: general.architecture: expected deepseek4, got \"other\"");
        }
    }

    // ---- the configuration of deepseek4

    @Test
    void config_isThatOfTheSafetensors() {
        try (Checkpoint expected = Checkpoint.open(TestVectors.path("tiny-fp32"));
                Checkpoint gguf = Checkpoint.open(TestVectors.path("gguf/tiny-fp32.gguf"))) {
            assertThat(expected.architecture()).isEqualTo("deepseek_v4");
            assertThat(gguf.architecture()).isEqualTo("deepseek4");
            assertThat(gguf.config()).isEqualTo(expected.config());
            assertThat(gguf.quantization()).isEqualTo("f32");
            assertThat(gguf.bytesByDtype()).containsOnlyKeys(DType.F32, DType.I32);
            assertThat(gguf.weightsSha256()).hasSize(64).isNotEqualTo(expected.weightsSha256());
        }
    }

    private static GgufWriter tiny() {
        try (Checkpoint checkpoint = Checkpoint.open(TestVectors.path("tiny-fp32"))) {
            return GgufModels.of(checkpoint);
        }
    }

    @Test
    void config_problemsAreToldAtOnce() {
        GgufWriter writer = tiny();
        writer.metadata.put("deepseek4.embedding_length", 0);
        writer.metadata.put("deepseek4.expert_gating_func", 2);
        writer.metadata.put("deepseek4.swiglu_clamp_shexp", List.of(1f, 1f, 1f, 2f, 1f));
        writer.metadata.put("deepseek4.attention.compress_ratios", List.of(0, 1));
        writer.metadata.remove("deepseek4.attention.sliding_window");
        writer.metadata.put("deepseek4.rope.scaling.type", "linear");
        checkOpen(
                writer,
                ErrorCode.MODEL_MISMATCH,
                "m.gguf: 6 problems: ",
                "deepseek4.embedding_length: expected a number from 1 to 65536, got 0",
                "deepseek4.expert_gating_func: expected 4, got 2",
                "deepseek4.swiglu_clamp_shexp: expected the same number from 0 to 1e30 in all layers",
                "deepseek4.attention.compress_ratios: expected a list of at least block_count (5) numbers",
                "deepseek4.attention.sliding_window: expected a number from 1 to 1048576, got nothing",
                "deepseek4.rope.scaling.type: expected yarn or none, got \"linear\"");
    }

    /// Prediction blocks count as blocks only where they are in the file.
    @Test
    void config_predictionBlocksAreLeftOut() {
        GgufWriter writer = tiny();
        writer.metadata.put("deepseek4.nextn_predict_layers", 1);
        try (Checkpoint without = Checkpoint.open(writer.write(dir.resolve("m.gguf")))) {
            assertThat(without.config().layers()).hasSize(5);
        }
        writer.metadata.put("deepseek4.block_count", 6);
        writer.tensors.put("blk.5.nextn.eh_proj.weight", new Tensor(0, List.of(1L), floats(1)));
        try (Checkpoint with = Checkpoint.open(writer.write(dir.resolve("m.gguf")))) {
            ModelConfig config = with.config();
            assertThat(config.layers()).hasSize(5);
            assertThat(config.mtpLayers()).isEmpty();
            WeightBinder.bind(with, config);
        }
    }

    @Test
    void bind_expertsOfAnotherShape() {
        GgufWriter writer = tiny();
        Tensor gate = writer.tensors.get("blk.2.ffn_gate_exps.weight");
        writer.tensors.put("blk.2.ffn_gate_exps.weight", new Tensor(0, List.of(8L, 32L, 16L), gate.data()));
        writer.tensors.remove("blk.3.attn_sinks.weight");
        try (Checkpoint checkpoint = Checkpoint.open(writer.write(dir.resolve("m.gguf")))) {
            check(
                    catchThrowableOfType(
                            EngineException.class, () -> WeightBinder.bind(checkpoint, checkpoint.config())),
                    ErrorCode.MODEL_MISMATCH,
                    "m.gguf: 2 tensors do not fit the metadata",
                    "blk.2.ffn_gate_exps.weight: expected F32 [8, 16, 32], got F32 [8, 32, 16] (m.gguf)",
                    "blk.3.attn_sinks.weight: expected");
        }
    }

    // ---- folders and parts

    @Test
    void open_folderWithOneModel() throws IOException {
        other().write(dir.resolve("some.gguf"));
        Files.writeString(dir.resolve("config.json"), "{}");
        try (Checkpoint checkpoint = Checkpoint.open(dir)) {
            assertThat(checkpoint.name()).isEqualTo("some");
        }
        other().write(dir.resolve("more.gguf"));
        check(
                catchThrowableOfType(
                        EngineException.class, () -> Checkpoint.open(dir).close()),
                ErrorCode.MODEL_UNREADABLE,
                "expected one model in GGUF, got 2: more; some; name the file");
    }

    @Test
    void open_parts() {
        GgufWriter first = other();
        first.metadata.put("split.count", 2);
        first.metadata.put("split.tensors.count", 4);
        GgufWriter second = new GgufWriter();
        second.metadata.put("split.no", 1);
        second.tensors.put("z", new Tensor(0, List.of(1L), floats(9)));
        Path one = first.write(dir.resolve("m-00001-of-00002.gguf"));
        check(
                catchThrowableOfType(
                        EngineException.class, () -> Checkpoint.open(one).close()),
                ErrorCode.MODEL_UNREADABLE,
                "expected 2 parts, missing: m-00002-of-00002.gguf");
        Path two = second.write(dir.resolve("m-00002-of-00002.gguf"));
        for (Path path : List.of(one, two, dir)) {
            try (Checkpoint checkpoint = Checkpoint.open(path)) {
                assertThat(checkpoint.name()).isEqualTo("m");
                assertThat(checkpoint.source().has(List.of("z"))).isTrue();
                assertThat(checkpoint.source().has(List.of("w"))).isTrue();
            }
        }
        first.metadata.put("split.tensors.count", 5);
        first.write(one);
        check(
                catchThrowableOfType(
                        EngineException.class, () -> Checkpoint.open(dir).close()),
                ErrorCode.MODEL_MISMATCH,
                "m-00001-of-00002.gguf: split.tensors.count: expected as many tensors as all parts have, 4, got 5");
    }

    @Test
    void open_aPartUnderAnotherName() {
        GgufWriter writer = other();
        writer.metadata.put("split.count", 3);
        checkOpen(
                writer, ErrorCode.MODEL_MISMATCH, "m.gguf: split.count: expected 1, as the file's name has it, got 3");
    }

    // ---- damage

    @Test
    void open_notGguf() {
        GgufWriter writer = other();
        writer.magic = 0x04034B50;
        checkOpen(writer, ErrorCode.MODEL_MISMATCH, "m.gguf: expected the four letters GGUF, got bytes 04034b50");
    }

    @Test
    void open_otherVersions() {
        GgufWriter writer = other();
        writer.version = 1;
        checkOpen(writer, ErrorCode.MODEL_MISMATCH, "m.gguf: version: expected 2 or 3, got 1");
        writer.version = 3 << 24;
        checkOpen(writer, ErrorCode.MODEL_MISMATCH, "m.gguf: version: expected 2 or 3, got 3 in big-endian order");
    }

    @Test
    void open_countsBeyondTheFile() throws IOException {
        byte[] bytes = other().bytes();
        for (int at : new int[] {8, 16}) {
            byte[] damaged = bytes.clone();
            Arrays.fill(damaged, at, at + 8, (byte) 0x7F);
            checkBytes(damaged, ErrorCode.MODEL_MISMATCH, "count: expected at most", "got 9187201950435737471");
            Arrays.fill(damaged, at, at + 8, (byte) 0xFF);
            checkBytes(damaged, ErrorCode.MODEL_MISMATCH, "count: expected at most", "got 18446744073709551615");
        }
    }

    /// Cut anywhere, it is never taken for whole.
    @Test
    void open_cutAnywhere() throws IOException {
        GgufWriter writer = other();
        byte[] bytes = writer.bytes();
        // the last tensor's padding may be missing
        int needed = bytes.length - (32 - 136 % 32);
        for (int length = 0; length < needed; length += length < writer.headBytes() ? 1 : 7) {
            Files.write(dir.resolve("m.gguf"), Arrays.copyOf(bytes, length));
            EngineException e = catchThrowableOfType(
                    EngineException.class,
                    () -> Checkpoint.open(dir.resolve("m.gguf")).close());
            assertThat(e).as("cut at " + length).isNotNull();
            assertThat(e).hasMessageContainingAll("m.gguf: ", "truncated");
        }
        Files.write(dir.resolve("m.gguf"), Arrays.copyOf(bytes, needed));
        Checkpoint.open(dir.resolve("m.gguf")).close();
    }

    @Test
    void open_faultyTensors() {
        checkTensor(new Tensor(99, List.of(1L), floats(1)), "t: expected a type that is known here, got number 99");
        checkTensor(new Tensor(8, List.of(33L), new byte[34]), "t: expected rows of a multiple of 32 elements");
        checkTensor(new Tensor(0, List.of(), floats(1)), "t: expected 1 to 4 dimensions, got 0");
        checkTensor(new Tensor(0, List.of(1L, 1L, 1L, 1L, 1L), floats(1)), "t: expected 1 to 4 dimensions, got 5");
        checkTensor(new Tensor(0, List.of(0L), floats(1)), "t: shape: expected positive numbers, got 0");
        checkTensor(new Tensor(0, List.of(-1L), floats(1)), "t: shape: expected positive", "18446744073709551615");
        checkTensor(new Tensor(0, List.of(1L << 40, 1L << 40), floats(1)), "t: expected a shape of less than 2^63");
        checkTensor(new Tensor(0, List.of(1L << 40), floats(1)), "t: expected 4398046511104 bytes at offset");
        // the next one begins where its 32 bytes end
        GgufWriter writer = other();
        writer.tensors.put("t", new Tensor(0, List.of(9L), floats(1)));
        writer.tensors.put("u", new Tensor(0, List.of(1L), floats(1)));
        checkOpen(writer, ErrorCode.MODEL_MISMATCH, "m.gguf: u: overlaps the tensor before it");
    }

    private void checkTensor(Tensor tensor, String... parts) {
        GgufWriter writer = other();
        writer.tensors.put("t", tensor);
        EngineException e = open(writer);
        assertThat(e).isNotNull();
        assertThat(e).hasMessageContaining("m.gguf: ").hasMessageContainingAll(parts);
    }

    @Test
    void open_alignment() {
        GgufWriter writer = other();
        writer.metadata.put("general.alignment", 64);
        writer.alignment = 64;
        try (Checkpoint checkpoint = Checkpoint.open(writer.write(dir.resolve("m.gguf")))) {
            Matrix w = checkpoint.source().matrix(List.of("w"), 2, 3);
            assertThat(MatrixRows.value(w, 1, 2)).isEqualTo(6);
        }
        writer.alignment = 32;
        checkOpen(writer, ErrorCode.MODEL_MISMATCH, "offset: expected a multiple of 64, got ");
        writer.metadata.put("general.alignment", 24);
        checkOpen(writer, ErrorCode.MODEL_MISMATCH, "m.gguf: general.alignment: expected a power of two", "got 24");
    }

    @Test
    void open_withoutArchitecture() {
        GgufWriter writer = other();
        writer.metadata.remove("general.architecture");
        checkOpen(writer, ErrorCode.MODEL_MISMATCH, "m.gguf: general.architecture: expected a text, got nothing");
    }

    private EngineException open(GgufWriter writer) {
        Path file = writer.write(dir.resolve("m.gguf"));
        return catchThrowableOfType(
                EngineException.class, () -> Checkpoint.open(file).close());
    }

    private void checkOpen(GgufWriter writer, ErrorCode code, String... parts) {
        check(open(writer), code, parts);
    }

    private void checkBytes(byte[] bytes, ErrorCode code, String... parts) throws IOException {
        Path file = Files.write(dir.resolve("m.gguf"), bytes);
        check(
                catchThrowableOfType(
                        EngineException.class, () -> Checkpoint.open(file).close()),
                code,
                parts);
    }

    private static void check(EngineException e, ErrorCode code, String... parts) {
        assertThat(e).isNotNull();
        assertThat(e).hasMessageContainingAll(parts);
        assertThat(e.code()).isEqualTo(code);
    }
}
