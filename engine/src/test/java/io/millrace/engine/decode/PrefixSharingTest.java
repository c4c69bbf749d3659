package io.millrace.engine.decode;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.OpenModel;
import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineConfig;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.EngineStats;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.GenerationResult.Completed;
import io.millrace.engine.api.GenerationResult.Failed;
import io.millrace.engine.api.SamplingParams;
import io.millrace.engine.api.ScoringRequest;
import io.millrace.engine.api.ScoringResult;
import io.millrace.engine.api.ScoringResult.Scored;
import io.millrace.engine.api.TokenIds;
import io.millrace.engine.checkpoint.RandomCheckpoint;
import io.millrace.engine.model.LanguageModel;
import io.millrace.engine.model.Step;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Rows that begin alike, with prefixes shared and without: bits are compared, and what was computed is
/// counted.
class PrefixSharingTest {
    private static final long SEED = Long.getLong("millrace.seed", 20261122L);
    private static final Path VECTORS = Path.of("src/test/resources/vectors");
    private static final long PLENTY = 1L << 30;
    private static final int VOCAB = 60;

    @TempDir
    static Path folder;

    @BeforeAll
    static void writeModel() {
        RandomCheckpoint checkpoint = new RandomCheckpoint();
        checkpoint.seed = SEED;
        checkpoint.compressRatios = new int[] {0, 4, 128, 8};
        checkpoint.write(folder.resolve("random-v4"));
    }

    private static OpenModel open(String name, String ring) {
        return new OpenModel((name.equals("random-v4") ? folder : VECTORS).resolve(name), ring);
    }

    private static EngineConfig config(int stepTokens, int maxRunning, long budget, boolean sharing) {
        return new EngineConfig(
                Path.of("unused"), "auto", 2, budget, stepTokens, maxRunning, CacheRounding.AUTO, sharing, false);
    }

    /// Prompts that follow a random tree: equal ones, ones that are another's beginning, short and long
    /// runs.
    private static List<Object> requests(Random random, int count) {
        List<int[]> prompts = new ArrayList<>();
        prompts.add(random.ints(1 + random.nextInt(60), 0, VOCAB).toArray());
        List<Object> requests = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int[] like = prompts.get(random.nextInt(prompts.size()));
            int kept = random.nextInt(4) == 0 ? like.length : random.nextInt(like.length + 1);
            int more = Math.max(kept == 0 ? 1 : 0, random.nextInt(5) * random.nextInt(12));
            int[] prompt = IntStream.concat(IntStream.of(like).limit(kept), random.ints(more, 0, VOCAB))
                    .limit(150)
                    .toArray();
            prompts.add(prompt);
            requests.add(request(random, i, TokenIds.of(prompt)));
        }
        return requests;
    }

    private static Object request(Random random, int i, TokenIds prompt) {
        if (i % 3 == 0) {
            int[] continuation = random.ints(1 + random.nextInt(8), 0, VOCAB).toArray();
            return new ScoringRequest("row-" + i, prompt, TokenIds.of(continuation));
        }
        double temperature = i % 3 == 1 ? 0 : 0.8;
        int maxTokens = 1 + random.nextInt(10);
        return new GenerationRequest(
                "row-" + i, prompt, new SamplingParams(temperature, 1, 0, 0, maxTokens, List.of(), i, true));
    }

    /// What became of a request, times and cached tokens left out.
    private static String answer(Object result) {
        return switch (result) {
            case Completed c -> c.tokens() + " " + c.meanLogprob() + " " + c.finishReason();
            case Scored s -> s.logprobs() + " " + s.logprob() + " " + s.greedy();
            case Failed f -> f.code() + " " + f.message();
            default -> throw new IllegalArgumentException(result.toString());
        };
    }

    private static CompletableFuture<?> submit(DecodeLoop loop, Object request) {
        return switch (request) {
            case GenerationRequest generation -> loop.submit(generation);
            case ScoringRequest scoring -> loop.score(scoring);
            default -> throw new IllegalArgumentException(request.toString());
        };
    }

    private record Run(Map<String, String> answers, EngineStats stats) {}

    private static Run run(LanguageModel model, EngineConfig config, List<Object> requests) {
        try (DecodeLoop loop = new DecodeLoop(model, null, config)) {
            List<CompletableFuture<?>> futures = new ArrayList<>();
            // before the start: the batch sees them all at once
            requests.forEach(request -> futures.add(submit(loop, request)));
            loop.start();
            Map<String, String> answers = new TreeMap<>();
            for (int i = 0; i < futures.size(); i++) {
                answers.put(id(requests.get(i)), answer(futures.get(i).join()));
            }
            return new Run(answers, loop.stats());
        }
    }

    private static String id(Object request) {
        return request instanceof GenerationRequest generation ? generation.id() : ((ScoringRequest) request).id();
    }

    @ParameterizedTest
    @CsvSource({"random-v4, vector", "tiny-official-quant, auto", "tiny-qwen3moe, vector", "tiny-llama, reference"})
    void answers_haveTheSameBitsWithoutSharing(String name, String ring) {
        Random random = new Random(SEED);
        try (OpenModel opened = open(name, ring)) {
            LanguageModel model = opened.model();
            for (int round = 0; round < (ring.equals("reference") ? 1 : 6); round++) {
                List<Object> requests = requests(random, 50);
                Run alone = run(model, config(512, 1, PLENTY, false), requests);
                assertThat(alone.stats().cachedTokens()).isZero();
                long largest = model.config().cacheBytes(170);
                for (long budget : new long[] {PLENTY, 4 * largest, largest}) {
                    Collections.shuffle(requests, random);
                    EngineConfig config = config(1 + random.nextInt(120), 1 + random.nextInt(20), budget, true);
                    Run shared = run(model, config, requests);
                    assertThat(shared.answers()).as("%s, seed %d", config, SEED).isEqualTo(alone.answers());
                    assertThat(shared.stats().promptTokens())
                            .isEqualTo(alone.stats().promptTokens());
                    assertThat(shared.stats().cacheBytes()).isZero();
                    assertThat(shared.stats().prefixBytes()).isBetween(0L, budget);
                    if (budget == PLENTY) {
                        assertThat(shared.stats().cachedTokens()).isPositive();
                    }
                }
            }
        }
    }

    @Test
    void prefix_thatAllRowsBeginWithIsComputedOnce() {
        Random random = new Random(SEED);
        int[] header = random.ints(200, 0, VOCAB).toArray();
        List<Object> requests = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            // rows part with their first token, but for the few that this vocabulary makes equal
            int[] own = random.ints(9, 0, VOCAB).toArray();
            own[0] = i;
            int[] prompt =
                    IntStream.concat(IntStream.of(header), IntStream.of(own)).toArray();
            requests.add(new GenerationRequest("row-" + i, TokenIds.of(prompt), SamplingParams.greedy(1)));
        }
        try (OpenModel opened = open("random-v4", "vector")) {
            // chunks far shorter than the prefix: the others wait while it is under way
            EngineStats stats =
                    run(opened.model(), config(32, 16, PLENTY, true), requests).stats();
            assertThat(stats.promptTokens()).isEqualTo(30 * 209);
            assertThat(stats.cachedTokens()).isEqualTo(29 * 200);
            assertThat(stats.stepTokens()).isEqualTo(200 + 30 * 9);
        }
    }

    @Test
    void prompt_ofSeveralSamplesIsComputedOnceButForItsLastToken() {
        int[] prompt = new Random(SEED).ints(120, 0, VOCAB).toArray();
        List<Object> requests = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            SamplingParams sampling = new SamplingParams(1, 1, 0, 0, 5, List.of(), i, true);
            requests.add(new GenerationRequest("sample-" + i, TokenIds.of(prompt), sampling));
        }
        try (OpenModel opened = open("random-v4", "vector")) {
            Run shared = run(opened.model(), config(512, 16, PLENTY, true), requests);
            assertThat(shared.answers())
                    .isEqualTo(run(opened.model(), config(512, 16, PLENTY, false), requests)
                            .answers());
            assertThat(shared.answers().values()).as("of different seeds").doesNotHaveDuplicates();
            assertThat(shared.stats().cachedTokens()).isEqualTo(7 * 119);
        }
    }

    @Test
    void usage_tellsEachRowWhatItTookFromACache() {
        int[] prompt = new Random(SEED).ints(100, 0, VOCAB).toArray();
        try (OpenModel opened = open("tiny-llama", "vector");
                DecodeLoop loop = new DecodeLoop(opened.model(), null, config(512, 16, PLENTY, true))) {
            GenerationRequest request = new GenerationRequest("a", TokenIds.of(prompt), SamplingParams.greedy(2));
            ScoringRequest choice = new ScoringRequest("b", TokenIds.of(prompt), TokenIds.of(3, 4));
            CompletableFuture<GenerationResult> first = loop.submit(request);
            CompletableFuture<ScoringResult> second = loop.score(choice);
            loop.start();
            assertThat(((Completed) first.join()).usage()).isEqualTo(new GenerationResult.Usage(100, 0, 2));
            assertThat(((Scored) second.join()).usage()).isEqualTo(new GenerationResult.Usage(100, 99, 2));
            // kept for rows that come later
            Completed later = (Completed) loop.submit(request).join();
            assertThat(later.usage().cachedTokens()).isEqualTo(99);
            assertThat(answer(later)).isEqualTo(answer(first.join()));
        }
    }

    @Test
    void prefix_isKnownForLaterRowsOnceTwoHaveMet() {
        Random random = new Random(SEED);
        int[] header = random.ints(80, 0, VOCAB).toArray();
        try (OpenModel opened = open("random-v4", "vector");
                DecodeLoop loop = new DecodeLoop(opened.model(), null, config(64, 16, PLENTY, true))) {
            List<CompletableFuture<GenerationResult>> met = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                met.add(loop.submit(row(header, i, 10)));
            }
            loop.start();
            met.forEach(CompletableFuture::join);
            assertThat(((Completed) loop.submit(row(header, 2, 10)).join())
                            .usage()
                            .cachedTokens())
                    .isEqualTo(80);
        }
    }

    private static GenerationRequest row(int[] header, int own, int length) {
        int[] rest = new Random(SEED + own).ints(length, 0, VOCAB).toArray();
        rest[0] = own;
        int[] prompt =
                IntStream.concat(IntStream.of(header), IntStream.of(rest)).toArray();
        return new GenerationRequest("row-" + own, TokenIds.of(prompt), SamplingParams.greedy(3));
    }

    @Test
    void budget_isNeverExceededAndTheRowsGoOnWithoutPrefixes() {
        Random random = new Random(SEED);
        try (OpenModel opened = open("random-v4", "vector")) {
            LanguageModel model = opened.model();
            List<Object> requests = requests(random, 60);
            Map<String, String> expected =
                    run(model, config(512, 1, PLENTY, false), requests).answers();
            for (int rows = 1; rows < 6; rows++) {
                long budget = rows * model.config().cacheBytes(170);
                AtomicReference<Batch> running = new AtomicReference<>();
                ObservedModel observed = new ObservedModel(model, step -> {
                    EngineStats stats = running.get().stats();
                    assertThat(stats.cacheBytes() + stats.prefixBytes()).isLessThanOrEqualTo(budget);
                    assertThat(step.spans().stream()
                                    .mapToLong(span -> span.cache().bytes())
                                    .sum())
                            .isLessThanOrEqualTo(stats.cacheBytes());
                });
                Batch batch = new Batch(observed, config(40, 8, budget, true));
                running.set(batch);
                List<CompletableFuture<?>> futures = requests.stream()
                        .<CompletableFuture<?>>map(request -> add(batch, model, request))
                        .toList();
                while (!batch.isIdle()) {
                    batch.step().forEach(Runnable::run);
                }
                for (int i = 0; i < futures.size(); i++) {
                    assertThat(answer(futures.get(i).join())).isEqualTo(expected.get(id(requests.get(i))));
                }
                assertThat(batch.stats().cacheBytes()).isZero();
            }
        }
    }

    private static CompletableFuture<?> add(Batch batch, LanguageModel model, Object request) {
        return switch (request) {
            case GenerationRequest generation -> {
                CompletableFuture<GenerationResult> result = new CompletableFuture<>();
                long bytes = model.config()
                        .cacheBytes(generation.prompt().size()
                                + generation.sampling().maxTokens());
                batch.add(new Generation(generation, result, null, List.of(), null, null, bytes, 0));
                yield result;
            }
            case ScoringRequest scoring -> {
                CompletableFuture<ScoringResult> result = new CompletableFuture<>();
                long bytes = model.config()
                        .cacheBytes(
                                scoring.prompt().size() + scoring.continuation().size());
                batch.add(new Scoring(scoring, result, null, bytes, 0));
                yield result;
            }
            default -> throw new IllegalArgumentException(request.toString());
        };
    }

    @Test
    void builder_thatIsCancelledIsReplacedByTheNext() {
        int[] header = new Random(SEED).ints(100, 0, VOCAB).toArray();
        try (OpenModel opened = open("random-v4", "vector")) {
            LanguageModel model = opened.model();
            Map<String, String> expected = run(
                            model, config(512, 1, PLENTY, false), List.of(row(header, 1, 20), row(header, 2, 20)))
                    .answers();
            AtomicReference<CompletableFuture<GenerationResult>> builder = new AtomicReference<>();
            List<Integer> rows = new ArrayList<>();
            ObservedModel observed = new ObservedModel(model, step -> {
                rows.add(step.rows());
                if (rows.size() == 3) {
                    builder.get().cancel(true);
                }
            });
            try (DecodeLoop loop = new DecodeLoop(observed, null, config(20, 16, PLENTY, true))) {
                // the shortest goes first
                builder.set(loop.submit(row(header, 0, 5)));
                CompletableFuture<GenerationResult> one = loop.submit(row(header, 1, 20));
                CompletableFuture<GenerationResult> two = loop.submit(row(header, 2, 20));
                loop.start();
                assertThat(answer(one.join())).isEqualTo(expected.get("row-1"));
                assertThat(answer(two.join())).isEqualTo(expected.get("row-2"));
                assertThat(builder.get()).isCancelled();
                assertThat(((Completed) one.join()).usage().cachedTokens()
                                + ((Completed) two.join()).usage().cachedTokens())
                        .as("one of them built it anew")
                        .isEqualTo(100);
                assertThat(loop.stats().running() + loop.stats().waiting()).isZero();
            }
        }
    }

    /// Rows that reach position 110 make the step fail in which they do.
    private static void failLateRows(Step step) {
        for (Step.Span span : step.spans()) {
            if (span.startPosition() + span.rows() > 110) {
                throw new IllegalStateException("position 110");
            }
        }
    }

    @Test
    void row_thatFailsBehindASharedPrefixFailsAlone() {
        int[] header = new Random(SEED).ints(90, 0, VOCAB).toArray();
        try (OpenModel opened = open("random-v4", "vector")) {
            List<Object> requests = new ArrayList<>();
            for (int i = 0; i < 12; i++) {
                requests.add(row(header, i, i % 4 == 0 ? 40 : 10));
            }
            Map<String, String> expected =
                    run(opened.model(), config(512, 1, PLENTY, false), requests).answers();
            LanguageModel faulty = new ObservedModel(opened.model(), PrefixSharingTest::failLateRows);
            Run shared = run(faulty, config(64, 16, PLENTY, true), requests);
            for (int i = 0; i < 12; i++) {
                String answer = shared.answers().get("row-" + i);
                if (i % 4 == 0) {
                    assertThat(answer)
                            .startsWith(ErrorCode.INTERNAL + " step of ")
                            .contains("position 110");
                } else {
                    assertThat(answer).isEqualTo(expected.get("row-" + i));
                }
            }
            assertThat(shared.stats().failed()).isEqualTo(3);
            assertThat(shared.stats().completed()).isEqualTo(9);
            assertThat(shared.stats().cacheBytes()).isZero();
        }
    }

    @Test
    void rows_whoseSharedPrefixFailsAllFail() {
        int[] header = new Random(SEED).ints(150, 0, VOCAB).toArray();
        try (OpenModel opened = open("random-v4", "vector")) {
            List<Object> requests = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                requests.add(row(header, i, 10));
            }
            int[] other = new Random(SEED + 1).ints(40, 0, VOCAB).toArray();
            requests.add(new GenerationRequest("good", TokenIds.of(other), SamplingParams.greedy(3)));
            LanguageModel faulty = new ObservedModel(opened.model(), PrefixSharingTest::failLateRows);
            Run shared = run(faulty, config(64, 16, PLENTY, true), requests);
            assertThat(shared.stats().failed()).isEqualTo(5);
            assertThat(shared.answers().get("good"))
                    .isEqualTo(run(opened.model(), config(64, 16, PLENTY, false), requests)
                            .answers()
                            .get("good"));
        }
    }

    /// A card that is lost fails every step: to try the rows one by one would only tell so again.
    @Test
    void rows_whoseDeviceFailsFailTogether() {
        int[] header = new Random(SEED).ints(20, 0, VOCAB).toArray();
        try (OpenModel opened = open("random-v4", "vector")) {
            List<Object> requests = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                requests.add(row(header, i, 10));
            }
            AtomicInteger steps = new AtomicInteger();
            LanguageModel lost = new ObservedModel(opened.model(), _ -> {
                steps.incrementAndGet();
                throw new EngineException(ErrorCode.DEVICE_FAILED, "npu 1: error 507053");
            });
            Run run = run(lost, config(512, 16, PLENTY, false), requests);
            assertThat(run.answers().values())
                    .hasSize(6)
                    .allSatisfy(answer -> assertThat(answer)
                            .startsWith(ErrorCode.DEVICE_FAILED + " step of ")
                            .endsWith("tokens failed: npu 1: error 507053"));
            assertThat(run.stats().failed()).isEqualTo(6);
            assertThat(steps).hasValue(1);
        }
    }
}
