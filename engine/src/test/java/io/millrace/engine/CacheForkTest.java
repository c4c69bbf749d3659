package io.millrace.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.cache.SequenceCache;
import io.millrace.engine.checkpoint.Checkpoint;
import io.millrace.engine.checkpoint.RandomCheckpoint;
import io.millrace.engine.kernel.KernelProvider;
import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.model.LanguageModel;
import io.millrace.engine.model.Step;
import io.millrace.engine.tensor.Floats;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Sequences that part ways, and sequences that take tokens back, against sequences that never did: bits are
/// compared. Positions are chosen to meet every boundary: of windows, compressed rows and pages.
class CacheForkTest {
    private static final long SEED = Long.getLong("millrace.seed", 20261122L);
    private static final Path VECTORS = Path.of("src/test/resources/vectors");
    private static final int TOKENS = 300;
    private static final int VOCAB = 60;

    @TempDir
    static Path folder;

    @BeforeAll
    static void writeModel() {
        RandomCheckpoint checkpoint = new RandomCheckpoint();
        checkpoint.seed = SEED;
        checkpoint.compressRatios = new int[] {0, 4, 128, 4, 8};
        checkpoint.write(folder.resolve("random-v4"));
    }

    /// A model and what it says after each of a sequence's tokens.
    private static final class Opened implements AutoCloseable {
        private final Checkpoint checkpoint;
        private final Kernels kernels;
        final LanguageModel model;

        Opened(String name, String ring) {
            Path dir = name.equals("random-v4") ? folder.resolve(name) : VECTORS.resolve(name);
            checkpoint = Checkpoint.open(dir);
            kernels = KernelProvider.open(ring, 2);
            model = Architectures.bind(checkpoint, kernels, CacheRounding.AUTO).get();
        }

        /// Feeds `tokens[from, to)` in random chunks; the logits of the last.
        float[] feed(SequenceCache cache, int[] tokens, int from, int to, Random random) {
            float[] last = new float[model.config().vocabSize()];
            for (int at = from; at < to; ) {
                int count = Math.min(1 + random.nextInt(40), to - at);
                last = step(cache, tokens, at, count);
                at += count;
            }
            return last;
        }

        float[] step(SequenceCache cache, int[] tokens, int from, int count) {
            Step step = new Step();
            step.add(cache, tokens, from, count);
            Floats logits = model.logits(model.forward(step), new int[] {count - 1});
            float[] row = new float[model.config().vocabSize()];
            model.read(logits, 0, row, row.length);
            return row;
        }

        /// The logits of every position, computed at one go.
        float[][] straight(int[] tokens) {
            Step step = new Step();
            step.add(model.newCache(), tokens, 0, tokens.length);
            int[] rows = IntStream.range(0, tokens.length).toArray();
            Floats logits = model.logits(model.forward(step), rows);
            float[][] all = new float[tokens.length][model.config().vocabSize()];
            for (int i = 0; i < all.length; i++) {
                model.read(logits, i * all[i].length, all[i], all[i].length);
            }
            return all;
        }

        @Override
        public void close() {
            kernels.close();
            checkpoint.close();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "random-v4, vector",
        "random-v4, reference",
        "tiny-official-quant, auto",
        "tiny-qwen3moe, vector",
        "tiny-llama, reference"
    })
    void fork_bothHaveTheBitsOfSequencesThatSharedNothing(String name, String ring) {
        Random random = new Random(SEED);
        try (Opened opened = new Opened(name, ring)) {
            int[] one = random.ints(TOKENS, 0, VOCAB).toArray();
            float[][] straight = opened.straight(one);
            for (int round = 0; round < (ring.equals("reference") ? 8 : 40); round++) {
                // half of them at and beside multiples of every ratio, the window and the pages
                int at =
                        round % 2 == 0 ? 1 + random.nextInt(TOKENS - 2) : 16 * (1 + random.nextInt(17)) + round % 3 - 1;
                int[] other = Arrays.copyOf(one, TOKENS);
                for (int i = at; i < TOKENS; i++) {
                    other[i] = random.nextInt(VOCAB);
                }
                SequenceCache source = opened.model.newCache();
                opened.feed(source, one, 0, at, random);
                SequenceCache fork = source.fork();
                assertThat(fork.length()).isEqualTo(at);
                int further = at + random.nextInt(TOKENS - at) + 1;
                // the fork goes first, so that what it writes would show in its source
                float[] ofFork = opened.feed(fork, other, at, further, random);
                float[] ofSource = opened.feed(source, one, at, further, random);
                assertThat(ofFork)
                        .as("fork at %d, to %d, seed %d", at, further, SEED)
                        .containsExactly(opened.straight(Arrays.copyOf(other, further))[further - 1]);
                assertThat(ofSource)
                        .as("source at %d, to %d, seed %d", at, further, SEED)
                        .containsExactly(straight[further - 1]);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "random-v4, vector",
        "random-v4, reference",
        "tiny-official-quant, auto",
        "tiny-qwen3moe, vector",
        "tiny-llama, reference"
    })
    void rewind_asIfTheTokensHadNeverBeenSeen(String name, String ring) {
        Random random = new Random(SEED + 1);
        try (Opened opened = new Opened(name, ring)) {
            int[] tokens = random.ints(TOKENS, 0, VOCAB).toArray();
            float[][] straight = opened.straight(tokens);
            for (int round = 0; round < (ring.equals("reference") ? 2 : 6); round++) {
                SequenceCache cache = opened.model.newCache();
                while (cache.length() < TOKENS) {
                    int at = cache.length();
                    int most = round % 2 == 0 ? 2 : 20;
                    int right = Math.min(random.nextInt(most), TOKENS - at);
                    int wrong = 1 + random.nextInt(most);
                    int[] fed = Arrays.copyOfRange(tokens, at, at + right + wrong);
                    for (int i = right; i < fed.length; i++) {
                        fed[i] = random.nextInt(VOCAB);
                    }
                    cache.mark();
                    opened.step(cache, fed, 0, fed.length);
                    cache.rewind(at + right);
                    assertThat(cache.length()).isEqualTo(at + right);
                    if (cache.length() < TOKENS) {
                        assertThat(opened.step(cache, tokens, cache.length(), 1))
                                .as("position %d after %d right and %d wrong, seed %d", at + right, right, wrong, SEED)
                                .containsExactly(straight[cache.length() - 1]);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"random-v4", "tiny-qwen3moe"})
    void bytes_aForkHoldsWhatItDoesNotShare(String name) {
        try (Opened opened = new Opened(name, "vector")) {
            int[] tokens = new Random(SEED).ints(TOKENS, 0, VOCAB).toArray();
            SequenceCache source = opened.model.newCache();
            opened.step(source, tokens, 0, 200);
            SequenceCache fork = source.fork();
            assertThat(source.bytes()).isEqualTo(opened.model.config().cacheBytes(200));
            assertThat(source.completePageBytes()).isPositive();
            assertThat(fork.bytes()).isEqualTo(source.bytes() - source.completePageBytes());
            opened.step(fork, tokens, 200, 100);
            assertThat(fork.bytes()).isEqualTo(opened.model.config().cacheBytes(300) - source.completePageBytes());
        }
    }
}
