package io.millrace.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.api.EngineException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Damages the head of a GGUF file a little, two thousand times over. It opens and binds as before, or fails
/// with a message that names the file: no other exception, no crash, no hang. Seed: system property
/// `millrace.fuzz.seed`.
class GgufFuzzTest {
    private static final int MUTATIONS = 2000;
    private static final long SEED = Long.getLong("millrace.fuzz.seed", 20_260_424);

    @TempDir
    Path dir;

    private final RandomGenerator random =
            RandomGeneratorFactory.of("L64X128MixRandom").create(SEED);

    @Test
    @Timeout(300)
    void open_damagedHead() throws IOException {
        GgufWriter model = model();
        byte[] original = model.bytes();
        Path file = dir.resolve("fuzzed.gguf");
        Files.write(file, original);
        assertThat(open(file)).as("the undamaged model").isNull();
        int accepted = 0;
        for (int mutation = 0; mutation < MUTATIONS; mutation++) {
            Files.write(file, mutated(original, model.headBytes()));
            String message = open(file);
            if (message == null) {
                accepted++;
            } else {
                assertThat(message)
                        .as("seed " + SEED + ", mutation " + mutation)
                        .contains("fuzzed.gguf");
            }
        }
        assertThat(accepted).as("some damage is harmless, most is not").isBetween(1, MUTATIONS / 2);
    }

    private GgufWriter model() {
        RandomCheckpoint small = new RandomCheckpoint();
        small.nRoutedExperts = 2;
        small.compressRatios = new int[] {0, 4};
        small.vocabSize = 8;
        try (Checkpoint checkpoint = Checkpoint.open(small.write(dir.resolve("small")))) {
            return GgufModels.of(checkpoint);
        }
    }

    /// @return the message, or null if the model opens and binds
    private static String open(Path file) {
        try (Checkpoint checkpoint = Checkpoint.open(file)) {
            WeightBinder.bind(checkpoint, checkpoint.config());
            return null;
        } catch (EngineException e) {
            return e.getMessage();
        }
    }

    private byte[] mutated(byte[] original, int headBytes) {
        byte[] bytes = original.clone();
        for (int change = random.nextInt(3); change >= 0; change--) {
            int at = random.nextInt(headBytes);
            switch (random.nextInt(5)) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> Arrays.fill(bytes, at, Math.min(bytes.length, at + 1 + random.nextInt(8)), (byte) 0xFF);
                case 2 -> Arrays.fill(bytes, at, Math.min(bytes.length, at + 1 + random.nextInt(8)), (byte) 0);
                case 3 -> bytes = Arrays.copyOf(bytes, at + random.nextInt(bytes.length - at));
                default -> {
                    // bytes from elsewhere, so that lengths and types land where others stood
                    int length = 1 + random.nextInt(16);
                    int from = random.nextInt(headBytes - length);
                    int to = Math.min(at, headBytes - length);
                    System.arraycopy(original, from, bytes, to, Math.max(0, Math.min(length, bytes.length - to)));
                }
            }
            headBytes = Math.min(headBytes, bytes.length);
            if (headBytes < 32) {
                return bytes;
            }
        }
        return bytes;
    }
}
