package io.millrace.npu;

import io.millrace.engine.LocalEngine;
import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineConfig;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// What a decode step of the bundled model costs the host where a card computes: steps of one token, on a
/// software card that computes nothing, milliseconds a step.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class DecodeStepBenchmark {
    /// So few that the indexer need not choose, since it would read what nobody wrote.
    private static final int STEPS = 60;

    private LocalEngine engine;
    private int[] tokens;

    @Setup
    public void open() {
        SoftwareCard software = SoftwareCard.get();
        software.compute(false);
        engine = LocalEngine.open(new EngineConfig(
                Path.of("..", "engine", "models", "synopsis-v4"),
                "npu:" + software.folder("latest"),
                1,
                64L << 20,
                1,
                4,
                CacheRounding.ON));
        tokens = new Random(1).ints(STEPS, 0, engine.model().vocabSize()).toArray();
    }

    @Benchmark
    @OperationsPerInvocation(STEPS)
    public float[][] step() {
        return engine.logits(tokens);
    }

    @TearDown
    public void close() {
        engine.close();
    }
}
