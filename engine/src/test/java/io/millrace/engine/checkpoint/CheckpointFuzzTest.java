package io.millrace.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.api.EngineException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Damages a model's texts a little, a thousand times over. It opens and binds as before, or fails with a
/// message that names the file: no other exception, no crash, no hang. Seed: system property
/// `millrace.fuzz.seed`.
class CheckpointFuzzTest {
    private static final int MUTATIONS = 1000;
    private static final long SEED = Long.getLong("millrace.fuzz.seed", 20_260_424);
    private static final String[] SNIPPETS = {
        "null",
        "-1",
        "1e999",
        "{",
        "}",
        "[",
        "]",
        "\"",
        ",",
        ":",
        "99999999999999999999",
        "true",
        "\\u0000",
        "0.5",
        "[[[[[[",
        "\"a\":1,",
        "2147483648",
        "NaN",
        "..",
        "/",
        "F8_E4M3",
        "I64",
        "\\ud800"
    };

    @TempDir
    Path dir;

    private final RandomGenerator random =
            RandomGeneratorFactory.of("L64X128MixRandom").create(SEED);
    private int accepted;

    @BeforeEach
    void writeModel() throws IOException {
        RandomCheckpoint model = new RandomCheckpoint();
        model.nRoutedExperts = 2;
        model.compressRatios = new int[] {0, 4};
        model.vocabSize = 8;
        model.mtpLayers = 1;
        model.write(dir);
        Files.move(dir.resolve("model.safetensors"), dir.resolve("weights.safetensors"));
        StringBuilder map = new StringBuilder();
        model.tensors()
                .keySet()
                .forEach(name -> map.append(map.isEmpty() ? "" : ",")
                        .append('"')
                        .append(name)
                        .append("\":\"weights.safetensors\""));
        Files.writeString(dir.resolve("model.safetensors.index.json"), "{\"weight_map\":{" + map + "}}");
        assertThat(open()).as("the undamaged model").isNull();
    }

    @Test
    @Timeout(300)
    void open_damagedConfig() throws IOException {
        fuzzText("config.json", "config.json", "weights.safetensors", "fit config.json");
    }

    @Test
    @Timeout(300)
    void open_damagedIndex() throws IOException {
        fuzzText("model.safetensors.index.json", "model.safetensors.index.json", "weight");
    }

    private void fuzzText(String file, String... named) throws IOException {
        byte[] original = Files.readAllBytes(dir.resolve(file));
        fuzz(named, () -> Files.write(dir.resolve(file), mutated(original)));
    }

    /// The header's text, at times its length too; the data stays.
    @Test
    @Timeout(300)
    void open_damagedHeader() throws IOException {
        Path file = dir.resolve("weights.safetensors");
        byte[] original = Files.readAllBytes(file);
        int headerBytes = (original[0] & 0xFF) | ((original[1] & 0xFF) << 8);
        byte[] header = Arrays.copyOfRange(original, 8, 8 + headerBytes);
        byte[] data = Arrays.copyOfRange(original, 8 + headerBytes, original.length);
        fuzz(new String[] {"weights.safetensors", "fit config.json", "index.json"}, () -> {
            SafetensorsWriter.write(file, new String(mutated(header), StandardCharsets.ISO_8859_1), data);
            if (random.nextInt(10) == 0) {
                byte[] bytes = Files.readAllBytes(file);
                bytes[random.nextInt(8)] ^= (byte) (1 << random.nextInt(8));
                Files.write(file, bytes);
            }
        });
    }

    private void fuzz(String[] named, Damage damage) throws IOException {
        for (int mutation = 0; mutation < MUTATIONS; mutation++) {
            damage.apply();
            String message = open();
            if (message != null) {
                assertThat(named)
                        .as("seed " + SEED + ", mutation " + mutation + ": " + message)
                        .anyMatch(message::contains);
            }
        }
        assertThat(accepted).as("some damage is harmless, most is not").isBetween(1, MUTATIONS / 2);
    }

    /// @return the message, or null if the model opens and binds
    private String open() {
        try (Checkpoint checkpoint = Checkpoint.open(dir)) {
            WeightBinder.bind(checkpoint, checkpoint.config());
            accepted++;
            return null;
        } catch (EngineException e) {
            return e.getMessage();
        }
    }

    private byte[] mutated(byte[] original) {
        byte[] bytes = original;
        int changes = 1 + random.nextInt(3);
        for (int change = 0; change < changes; change++) {
            bytes = changedOnce(bytes);
        }
        return bytes;
    }

    private byte[] changedOnce(byte[] bytes) {
        int at = random.nextInt(bytes.length);
        int length = Math.min(1 + random.nextInt(8), bytes.length - at);
        switch (random.nextInt(6)) {
            case 0 -> {
                byte[] flipped = bytes.clone();
                flipped[at] ^= (byte) (1 << random.nextInt(8));
                return flipped;
            }
            case 1 -> {
                return splice(bytes, at, at + length, new byte[0]);
            }
            case 2 -> {
                return splice(
                        bytes, at, at, SNIPPETS[random.nextInt(SNIPPETS.length)].getBytes(StandardCharsets.UTF_8));
            }
            case 3 -> {
                byte[] digit = {(byte) ('0' + random.nextInt(10))};
                int number = at;
                while (number < bytes.length - 1 && !Character.isDigit(bytes[number])) {
                    number++;
                }
                return splice(bytes, number, number + 1, digit);
            }
            case 4 -> {
                // a piece of the text, once more elsewhere
                int from = random.nextInt(bytes.length);
                byte[] piece = Arrays.copyOfRange(bytes, from, Math.min(bytes.length, from + 1 + random.nextInt(60)));
                return splice(bytes, at, at, piece);
            }
            default -> {
                return splice(
                        bytes,
                        at,
                        at + length,
                        SNIPPETS[random.nextInt(SNIPPETS.length)].getBytes(StandardCharsets.UTF_8));
            }
        }
    }

    private static byte[] splice(byte[] bytes, int from, int to, byte[] between) {
        byte[] spliced = new byte[Math.max(1, from + between.length + bytes.length - to)];
        System.arraycopy(bytes, 0, spliced, 0, from);
        System.arraycopy(between, 0, spliced, from, between.length);
        System.arraycopy(bytes, to, spliced, from + between.length, bytes.length - to);
        return spliced;
    }

    private interface Damage {
        void apply() throws IOException;
    }
}
