package io.millrace.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.tokenizer.BpeTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A file that is not whole is told from one that is wrong: whoever copies it has only to wait.
class TruncatedModelTest {
    private static final int LENGTHS = 500;

    @TempDir
    private Path dir = Path.of("");

    @BeforeEach
    void writeModel() {
        RandomCheckpoint model = new RandomCheckpoint();
        model.compressRatios = new int[] {0, 4};
        model.vocabSize = 8;
        model.write(dir);
    }

    private interface Opening {
        void open() throws IOException;
    }

    /// Cuts a file at many places, all of them at its beginning and end.
    private static void cut(Path file, Opening opening) throws IOException {
        byte[] whole = Files.readAllBytes(file);
        // the last line end of a text may go
        int last = whole.length - (whole[whole.length - 1] == '\n' ? 2 : 1);
        for (int at = 0; at < LENGTHS; at++) {
            int length = at < 100 ? at : at < 200 ? last - (at - 100) : (int) ((long) last * (at - 200) / 300);
            Files.write(file, Arrays.copyOf(whole, Math.min(length, last)));
            assertThatThrownBy(opening::open)
                    .as("cut at " + length + " of " + whole.length)
                    .isInstanceOfSatisfying(
                            EngineException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.MODEL_UNREADABLE))
                    .hasMessageContaining("truncated, or still being copied")
                    .hasMessageContaining(SafetensorsFile.fileName(file));
        }
        Files.write(file, whole);
        opening.open();
    }

    private void openFolder() {
        try (Checkpoint checkpoint = Checkpoint.open(dir)) {
            WeightBinder.bind(checkpoint, checkpoint.config());
        }
    }

    @Test
    void safetensors_cutAnywhere_isNotWhole() throws IOException {
        cut(dir.resolve("model.safetensors"), this::openFolder);
    }

    @Test
    void config_cutAnywhere_isNotWhole() throws IOException {
        cut(dir.resolve("config.json"), this::openFolder);
    }

    @Test
    void index_cutAnywhere_isNotWhole() throws IOException {
        Map<String, String> map = new TreeMap<>();
        try (Checkpoint checkpoint = Checkpoint.open(dir)) {
            checkpoint.tensors().forEach(tensor -> map.put('"' + tensor.name() + '"', "\"model.safetensors\""));
        }
        Path index = dir.resolve("model.safetensors.index.json");
        Files.writeString(index, "{\"weight_map\":" + map.toString().replace('=', ':') + "}");
        cut(index, this::openFolder);
    }

    @Test
    void gguf_cutAnywhere_isNotWhole() throws IOException {
        Path file = dir.resolve("cut.gguf");
        try (Checkpoint checkpoint = Checkpoint.open(dir)) {
            GgufWriter writer = GgufModels.of(checkpoint);
            GgufModels.putTokenizer(writer);
            writer.write(file);
        }
        cut(file, () -> Checkpoint.open(file).close());
    }

    @Test
    void tokenizer_cutAnywhere_isNotWhole() throws IOException {
        Path file = dir.resolve("tokenizer.json");
        try (var in = TruncatedModelTest.class.getResourceAsStream("/encoding/small-tokenizer.json")) {
            Files.write(file, in.readAllBytes());
        }
        cut(file, () -> BpeTokenizer.read(file));
    }

    /// Some copy into a file of full length.
    @Test
    void weights_zerosInsteadOfAHead_areNotWhole() throws IOException {
        Files.write(dir.resolve("model.safetensors"), new byte[1000]);
        Path gguf = Files.write(dir.resolve("zeros.gguf"), new byte[1000]);

        for (Opening opening :
                new Opening[] {this::openFolder, () -> Checkpoint.open(gguf).close()}) {
            assertThatThrownBy(opening::open)
                    .isInstanceOfSatisfying(
                            EngineException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.MODEL_UNREADABLE))
                    .hasMessageContaining("got zeros: still being copied");
        }
    }

    @Test
    void shard_underAnotherName_isStillBeingCopied() throws IOException {
        Files.move(dir.resolve("model.safetensors"), dir.resolve("model-00001-of-00002.safetensors"));
        Files.createFile(dir.resolve("model-00002-of-00002.safetensors.incomplete"));

        assertThatThrownBy(this::openFolder)
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.MODEL_UNREADABLE))
                .hasMessageContaining("missing: model-00002-of-00002.safetensors, still being copied as"
                        + " model-00002-of-00002.safetensors.incomplete");
    }

    @Test
    void weights_ofAnotherModel_areWrong() {
        RandomCheckpoint other = new RandomCheckpoint();
        other.compressRatios = new int[] {0, 4};
        other.vocabSize = 9;
        SafetensorsWriter.write(dir.resolve("model.safetensors"), other.tensors());

        assertThatThrownBy(this::openFolder)
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.MODEL_MISMATCH))
                .hasMessageContaining("expected F32 [8, 32], got F32 [9, 32] (model.safetensors)")
                .hasMessageNotContaining("copied");
    }
}
