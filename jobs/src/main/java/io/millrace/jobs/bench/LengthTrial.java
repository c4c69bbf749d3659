package io.millrace.jobs.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.cache.CompressedCache;
import io.millrace.engine.kernel.KernelProvider;
import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.model.Caches;
import io.millrace.engine.model.DeepSeekV4;
import io.millrace.engine.model.ModelConfig;
import io.millrace.engine.model.Step;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;

/// What length costs: how fast a narrow V4 goes on with a prompt at several positions, against the
/// operations that the formula of deepseek-v4.md section 9 counts there. The cache before the position is
/// filled with chance.
final class LengthTrial implements Trial {
    private static final List<Integer> LENGTHS = List.of(1 << 10, 8 << 10, 64 << 10, 256 << 10);
    private static final int CHUNK = 128;
    private static final int ROUNDS = 3;
    private static final double BAR = 0.75;

    private final String ring;
    private final int threads;

    LengthTrial(String ring, int threads) {
        this.ring = ring;
        this.threads = threads;
    }

    @Override
    public ObjectNode run() {
        ModelConfig config = V4Shapes.narrow();
        ObjectNode figures = new ObjectMapper().createObjectNode();
        try (Kernels kernels = KernelProvider.open(ring, threads);
                Arena arena = Arena.ofShared()) {
            DeepSeekV4 model =
                    new DeepSeekV4(kernels, config, RandomWeights.of(kernels, config, arena), CacheRounding.OFF);
            figures.put("ring", kernels.description());
            // once for the compiler
            LENGTHS.forEach(length -> rate(kernels, model, length, 1));
            double first = 0;
            double least = Double.MAX_VALUE;
            for (int length : LENGTHS) {
                double rate = rate(kernels, model, length, ROUNDS);
                double operations = V4Shapes.operations(config, length);
                first = first == 0 ? rate * operations : first;
                double ofFormula = rate * operations / first;
                least = Math.min(least, ofFormula);
                ObjectNode entry = figures.putObject(length / 1024 + "K");
                entry.put("tokens_per_second", rate).put("operations_per_token", operations);
                entry.put("of_formula_from_1K", ofFormula);
            }
            Trial.bar(figures, least, BAR);
        }
        return figures;
    }

    private static double rate(Kernels kernels, DeepSeekV4 model, int length, int rounds) {
        int[] tokens = new int[CHUNK];
        Arrays.setAll(tokens, i -> i * 7 % model.config().vocabSize());
        return Results.median(DoubleStream.generate(() -> {
                            CompressedCache cache =
                                    FilledCache.of(kernels, Caches.shape(model.config()), length - CHUNK);
                            Step step = new Step();
                            step.add(cache, tokens, 0, CHUNK);
                            long begun = System.nanoTime();
                            model.forward(step);
                            return CHUNK * 1e9 / (System.nanoTime() - begun);
                        })
                        .limit(rounds))
                .orElseThrow();
    }
}
