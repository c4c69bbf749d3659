package io.millrace.jobs.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.LocalEngine;
import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineConfig;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.ScoringRequest;
import io.millrace.engine.api.ScoringResult;
import io.millrace.engine.api.TokenIds;
import io.millrace.jobs.JobException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.IntStream;

/// Multiple choice as MMLU asks it, in random tokens: five solved examples of the subject, a question, and the
/// probability of each of four answers. Timed with shared prefixes and without; both must give the same bits.
final class ShotsTrial implements Trial {
    private static final int QUESTIONS = 1_000;
    private static final int WARM_UP = 50; // questions before those
    private static final int SUBJECTS = 57;
    private static final int SHOTS = 5;
    private static final int CHOICES = 4;
    private static final int CHOICE_TOKENS = 2;
    private static final int MOST_TOKENS = 96; // of an example or a question
    private static final double BAR = 5;

    private final Path model;
    private final String ring;
    private final Shape shape;
    private final int stepTokens;

    ShotsTrial(Path model, String ring, Shape shape, int stepTokens) {
        this.model = model;
        this.ring = ring;
        this.shape = shape;
        this.stepTokens = stepTokens;
    }

    @Override
    public ObjectNode run() {
        ObjectNode figures = new ObjectMapper().createObjectNode();
        figures.put("questions", QUESTIONS).put("subjects", SUBJECTS).put("shots", SHOTS);
        Timed shared = time(true, figures);
        Timed apart = time(false, figures);
        if (!shared.logprobs().equals(apart.logprobs())) {
            throw new JobException("shots: expected the same probabilities with shared prefixes as without");
        }
        figures.put("seconds_shared", shared.seconds()).put("seconds_apart", apart.seconds());
        figures.put("times", apart.seconds() / shared.seconds());
        Trial.bar(figures, apart.seconds() / shared.seconds(), BAR);
        return figures;
    }

    private record Timed(double seconds, List<Double> logprobs) {}

    private Timed time(boolean sharing, ObjectNode figures) {
        long budget = Runtime.getRuntime().maxMemory() / 2;
        EngineConfig config = new EngineConfig(
                model, ring, shape.threads(), budget, stepTokens, 256, CacheRounding.AUTO, sharing, false);
        try (LocalEngine engine = LocalEngine.open(config)) {
            int tokens = Math.min(MOST_TOKENS, engine.model().maxPositions() / (SHOTS + 2));
            figures.put("tokens_each", tokens);
            List<ScoringRequest> requests = requests(tokens, engine.model().vocabSize());
            // for the compiler
            answers(engine, requests.subList(0, WARM_UP * CHOICES));
            List<ScoringRequest> fresh = requests.subList(WARM_UP * CHOICES, requests.size());
            long begun = System.nanoTime();
            List<Double> logprobs = answers(engine, fresh);
            return new Timed((System.nanoTime() - begun) / 1e9, logprobs);
        }
    }

    /// Subject by subject.
    private static List<ScoringRequest> requests(int tokens, int vocabSize) {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(20261122);
        int each = Math.ceilDiv(WARM_UP + QUESTIONS, SUBJECTS);
        int[][] choices = random.ints(CHOICES, 0, vocabSize)
                .mapToObj(first -> choice(first, vocabSize))
                .toArray(int[][]::new);
        List<ScoringRequest> requests = new ArrayList<>();
        for (int subject = 0; subject < SUBJECTS; subject++) {
            int[] header = random.ints((long) SHOTS * tokens, 0, vocabSize).toArray();
            for (int question = 0; question < each; question++) {
                int[] asked = random.ints(tokens, 0, vocabSize).toArray();
                TokenIds prompt = TokenIds.of(IntStream.concat(IntStream.of(header), IntStream.of(asked))
                        .toArray());
                for (int[] choice : choices) {
                    requests.add(new ScoringRequest("q" + requests.size(), prompt, TokenIds.of(choice)));
                }
            }
        }
        return requests.subList(0, (WARM_UP + QUESTIONS) * CHOICES);
    }

    private static int[] choice(int first, int vocabSize) {
        return IntStream.range(0, CHOICE_TOKENS)
                .map(i -> (first + i) % vocabSize)
                .toArray();
    }

    private static List<Double> answers(LocalEngine engine, List<ScoringRequest> requests) {
        List<CompletableFuture<ScoringResult>> results =
                requests.stream().map(engine::score).toList();
        return results.stream().map(result -> logprob(result.join())).toList();
    }

    private static double logprob(ScoringResult result) {
        return switch (result) {
            case ScoringResult.Scored scored -> scored.logprob();
            case GenerationResult.Failed failed -> throw new EngineException(failed.code(), failed.message());
        };
    }
}
