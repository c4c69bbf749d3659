package io.millrace.npu;

import io.millrace.engine.LocalEngine;
import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineConfig;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Random;

/// What a decode step costs the host where a card computes: steps of one token, on a software card that
/// computes nothing. `SOFTCARD_COMPUTE=0 java .. DecodeStepCost MODEL npu:FOLDER STEPS PASSES`; so few steps
/// that the indexer need not choose, since it would read what nobody wrote.
final class DecodeStepCost {
    private DecodeStepCost() {}

    public static void main(String[] arguments) {
        int steps = Integer.parseInt(arguments[2]);
        EngineConfig config =
                new EngineConfig(Path.of(arguments[0]), arguments[1], 1, 64L << 20, 1, 4, CacheRounding.ON);
        try (LocalEngine engine = LocalEngine.open(config)) {
            int[] tokens =
                    new Random(1).ints(steps, 0, engine.model().vocabSize()).toArray();
            double best = Double.POSITIVE_INFINITY;
            for (int pass = 0; pass < Integer.parseInt(arguments[3]); pass++) {
                long start = System.nanoTime();
                engine.logits(tokens);
                best = Math.min(best, (System.nanoTime() - start) / 1000.0 / steps);
            }
            System.out.printf(Locale.ROOT, "%.0f µs a step%n", best);
        }
    }
}
