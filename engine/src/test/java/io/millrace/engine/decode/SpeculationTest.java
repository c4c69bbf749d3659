package io.millrace.engine.decode;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.OpenModel;
import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineConfig;
import io.millrace.engine.api.EngineStats;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.GenerationResult.Completed;
import io.millrace.engine.api.SamplingParams;
import io.millrace.engine.api.TokenIds;
import io.millrace.engine.cache.SequenceCache;
import io.millrace.engine.checkpoint.RandomCheckpoint;
import io.millrace.engine.model.Drafter;
import io.millrace.engine.model.LanguageModel;
import io.millrace.engine.model.Step;
import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.HostFloats;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Tokens and log-probabilities with guesses and without: bits are compared. Guesses come from the prediction
/// block of random checkpoints, which is mostly wrong, and from a drafter that knows the answers and is right
/// as often as it is told.
class SpeculationTest {
    private static final long SEED = Long.getLong("millrace.seed", 20261122L);
    private static final Path VECTORS = Path.of("src/test/resources/vectors");
    private static final long PLENTY = 1L << 30;

    @TempDir
    static Path folder;

    @BeforeAll
    static void writeModel() {
        RandomCheckpoint checkpoint = new RandomCheckpoint();
        checkpoint.seed = SEED;
        checkpoint.compressRatios = new int[] {0, 4, 128, 8};
        checkpoint.mtpLayers = 1;
        checkpoint.write(folder.resolve("random-v4"));
    }

    private static OpenModel open(String name, String ring) {
        return new OpenModel((name.equals("random-v4") ? folder : VECTORS).resolve(name), ring);
    }

    private static EngineConfig config(int stepTokens, int maxRunning, boolean speculation) {
        return new EngineConfig(
                Path.of("unused"), "auto", 2, PLENTY, stepTokens, maxRunning, CacheRounding.AUTO, true, speculation);
    }

    /// Prompts of different lengths, greedy and sampled ones in turn.
    private static List<GenerationRequest> requests(int count, int maxTokens) {
        Random random = new Random(SEED);
        List<GenerationRequest> requests = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int[] prompt = random.ints(3 + 7 * i, 0, 60).toArray();
            double temperature = i % 2 == 0 ? 0 : 0.7;
            int most = i == 4 ? 1 : maxTokens - random.nextInt(maxTokens / 3);
            SamplingParams sampling = new SamplingParams(temperature, 0.95, 0, 0, most, List.of(), i, i != 5);
            requests.add(new GenerationRequest("row-" + i, TokenIds.of(prompt), sampling));
        }
        return requests;
    }

    private record Run(List<Completed> answers, EngineStats stats) {}

    private static Run run(LanguageModel model, EngineConfig config, List<GenerationRequest> requests) {
        try (DecodeLoop loop = new DecodeLoop(model, null, config)) {
            List<CompletableFuture<GenerationResult>> futures =
                    requests.stream().map(loop::submit).toList();
            loop.start();
            List<Completed> answers =
                    futures.stream().map(future -> (Completed) future.join()).toList();
            return new Run(answers, loop.stats());
        }
    }

    private static void assertSameBits(Run got, Run expected) {
        for (int i = 0; i < expected.answers().size(); i++) {
            Completed one = expected.answers().get(i);
            Completed other = got.answers().get(i);
            assertThat(other.tokens()).as("row %d, seed %d", i, SEED).isEqualTo(one.tokens());
            assertThat(other.meanLogprob()).as("row %d, seed %d", i, SEED).isEqualTo(one.meanLogprob());
            assertThat(other.finishReason()).isEqualTo(one.finishReason());
            assertThat(other.usage().completionTokens()).isEqualTo(one.usage().completionTokens());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "random-v4, vector, 150",
        "random-v4, reference, 40",
        "tiny-official-quant, auto, 150",
        "tiny-official-quant, vector, 60"
    })
    void predictionBlock_theSameTokensAsWithout(String name, String ring, int maxTokens) {
        try (OpenModel opened = open(name, ring)) {
            List<GenerationRequest> requests = requests(6, maxTokens);
            Run without = run(opened.model(), config(512, 8, false), requests);
            assertThat(without.stats().guessedTokens()).isZero();
            // a batch that is small at once, one that becomes small, and one without room for guesses
            for (int[] sizes : new int[][] {{512, 2}, {512, 8}, {3, 2}}) {
                EngineStats stats;
                Run with = run(opened.model(), config(sizes[0], sizes[1], true), requests);
                assertSameBits(with, without);
                stats = with.stats();
                assertThat(stats.completionTokens()).isEqualTo(without.stats().completionTokens());
                assertThat(stats.acceptedTokens()).isBetween(0L, stats.guessedTokens());
                if (sizes[0] > 3) {
                    assertThat(stats.guessedTokens()).isPositive();
                }
            }
        }
    }

    /// Guesses what a sequence is known to become, or something else, by a random number.
    private static final class KnowingDrafter implements Drafter {
        private final LanguageModel model;
        // prompt and completion, by the length of the prompt
        private final Map<Integer, int[]> answers;
        private final double rightShare;
        private final Random random = new Random(SEED);
        private final Map<SequenceCache, int[]> known = new IdentityHashMap<>();

        KnowingDrafter(LanguageModel model, Map<Integer, int[]> answers, double rightShare) {
            this.model = model;
            this.answers = answers;
            this.rightShare = rightShare;
        }

        @Override
        public SequenceCache newCache() {
            return model.newCache();
        }

        @Override
        public Floats logits(Floats hidden, int[] rows, Step next, int[] wanted) {
            int vocab = model.config().vocabSize();
            float[] logits = new float[wanted.length * vocab];
            for (int i = 0; i < wanted.length; i++) {
                Step.Span span = next.spans().get(i);
                assertThat(wanted[i]).isEqualTo(span.firstRow() + span.rows() - 1);
                // the first span of a sequence is its whole prompt
                int[] answer = known.computeIfAbsent(span.cache(), _ -> answers.get(span.rows()));
                span.cache().advance(span.rows());
                int at = span.cache().length() + 1;
                int right = at < answer.length ? answer[at] : 0;
                logits[i * vocab + (random.nextDouble() < rightShare ? right : (right + 1) % vocab)] = 100;
            }
            return new HostFloats(logits);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "random-v4, 0",
        "random-v4, 0.3",
        "random-v4, 0.8",
        "random-v4, 1",
        "tiny-qwen3moe, 0.5",
        "tiny-official-quant, 0.7"
    })
    void randomPatterns_theSameTokensAsWithout(String name, double rightShare) {
        try (OpenModel opened = open(name, "vector")) {
            LanguageModel model = opened.model();
            List<GenerationRequest> requests = requests(4, 120);
            Run without = run(model, config(512, 4, false), requests);
            Map<Integer, int[]> answers = new HashMap<>();
            for (int i = 0; i < requests.size(); i++) {
                IntStream prompt = IntStream.of(requests.get(i).prompt().toArray());
                IntStream written =
                        IntStream.of(without.answers().get(i).tokens().toArray());
                answers.put(
                        requests.get(i).prompt().size(),
                        IntStream.concat(prompt, written).toArray());
            }
            Drafter drafter = new KnowingDrafter(model, answers, rightShare);
            Run with = run(new ObservedModel(model, _ -> {}, drafter), config(512, 4, true), requests);
            assertSameBits(with, without);
            long guessed = with.stats().guessedTokens();
            assertThat(guessed).isGreaterThan(100);
            assertThat((double) with.stats().acceptedTokens() / guessed)
                    .isBetween(rightShare - 0.15, rightShare + 0.15);
            if (rightShare == 1) {
                assertThat(with.stats().steps()).isLessThan(without.stats().steps() * 6 / 10);
            }
        }
    }

    @Test
    void largeBatches_doNotGuess() {
        try (OpenModel opened = open("random-v4", "vector")) {
            List<GenerationRequest> requests = new ArrayList<>();
            for (int i = 0; i <= Speculation.MOST_ROWS; i++) {
                SamplingParams sampling = new SamplingParams(0, 1, 0, 0, 20, List.of(), 0, true);
                requests.add(new GenerationRequest("row-" + i, TokenIds.of(i, 2, 3), sampling));
            }
            Run large = run(opened.model(), config(512, 64, true), requests);
            Run small = run(opened.model(), config(512, 64, true), requests.subList(1, requests.size()));
            assertThat(large.stats().guessedTokens()).isZero();
            assertThat(small.stats().guessedTokens()).isPositive();
        }
    }

    @Test
    void modelsWithoutAPredictionBlock_doNotGuess() {
        try (OpenModel opened = open("tiny-llama", "vector")) {
            assertThat(opened.model().drafter()).isNull();
            Run run = run(opened.model(), config(512, 4, true), requests(2, 10));
            assertThat(run.stats().guessedTokens()).isZero();
        }
    }
}
