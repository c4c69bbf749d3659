package io.millrace.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.cache.SequenceCache;
import io.millrace.engine.checkpoint.RandomCheckpoint;
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

    private static OpenModel open(String name, String ring) {
        return new OpenModel((name.equals("random-v4") ? folder : VECTORS).resolve(name), ring);
    }

    /// Feeds tokens up to a position in random chunks; the logits of the last.
    private static float[] feed(LanguageModel model, SequenceCache cache, int[] tokens, int to, Random random) {
        float[] last = new float[0];
        while (cache.length() < to) {
            int at = cache.length();
            last = step(model, cache, tokens, at, Math.min(1 + random.nextInt(40), to - at));
        }
        return last;
    }

    private static float[] step(LanguageModel model, SequenceCache cache, int[] tokens, int from, int count) {
        Step step = new Step();
        step.add(cache, tokens, from, count);
        Floats logits = model.logits(model.forward(step), new int[] {count - 1});
        float[] row = new float[model.config().vocabSize()];
        model.read(logits, 0, row, row.length);
        return row;
    }

    /// The logits of every position, computed at one go.
    private static float[][] straight(LanguageModel model, int[] tokens) {
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
        try (OpenModel opened = open(name, ring)) {
            LanguageModel model = opened.model();
            int[] one = random.ints(TOKENS, 0, VOCAB).toArray();
            float[][] straight = straight(model, one);
            for (int round = 0; round < (ring.equals("reference") ? 8 : 40); round++) {
                // half of them at and beside multiples of every ratio, the window and the pages
                int at =
                        round % 2 == 0 ? 1 + random.nextInt(TOKENS - 2) : 16 * (1 + random.nextInt(17)) + round % 3 - 1;
                int[] other = Arrays.copyOf(one, TOKENS);
                for (int i = at; i < TOKENS; i++) {
                    other[i] = random.nextInt(VOCAB);
                }
                SequenceCache source = model.newCache();
                feed(model, source, one, at, random);
                SequenceCache fork = source.fork();
                assertThat(fork.length()).isEqualTo(at);
                int further = at + random.nextInt(TOKENS - at) + 1;
                // the fork goes first, so that what it writes would show in its source
                float[] ofFork = feed(model, fork, other, further, random);
                float[] ofSource = feed(model, source, one, further, random);
                assertThat(ofFork)
                        .as("fork at %d, to %d, seed %d", at, further, SEED)
                        .containsExactly(straight(model, Arrays.copyOf(other, further))[further - 1]);
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
        try (OpenModel opened = open(name, ring)) {
            LanguageModel model = opened.model();
            int[] tokens = random.ints(TOKENS, 0, VOCAB).toArray();
            float[][] straight = straight(model, tokens);
            for (int round = 0; round < (ring.equals("reference") ? 2 : 6); round++) {
                SequenceCache cache = model.newCache();
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
                    step(model, cache, fed, 0, fed.length);
                    cache.rewind(at + right);
                    assertThat(cache.length()).isEqualTo(at + right);
                    if (cache.length() < TOKENS) {
                        assertThat(step(model, cache, tokens, cache.length(), 1))
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
        try (OpenModel opened = open(name, "vector")) {
            LanguageModel model = opened.model();
            int[] tokens = new Random(SEED).ints(TOKENS, 0, VOCAB).toArray();
            SequenceCache source = model.newCache();
            step(model, source, tokens, 0, 200);
            SequenceCache fork = source.fork();
            assertThat(source.bytes()).isEqualTo(model.config().cacheBytes(200));
            assertThat(source.completePageBytes()).isPositive();
            assertThat(fork.bytes()).isEqualTo(source.bytes() - source.completePageBytes());
            step(model, fork, tokens, 200, 100);
            assertThat(fork.bytes()).isEqualTo(model.config().cacheBytes(300) - source.completePageBytes());
        }
    }
}
