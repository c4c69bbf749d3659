package io.millrace.engine.kernel;

import io.millrace.engine.Matrices;
import io.millrace.engine.kernel.Kernels.CausalSpan;
import io.millrace.engine.kernel.Kernels.KeyValueShape;
import io.millrace.engine.tensor.Floats;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// Attention of one new token, 16 heads of 128 over 4 of keys and values, by one thread: microseconds for a
/// layer.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(value = 1, jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class AttentionBenchmark {
    private static final int HEADS = 16;
    private static final KeyValueShape SHAPE = new KeyValueShape(4, 128);

    @Param({"512", "8192"})
    public int position;

    private Kernels kernels;
    private Floats q;
    private Floats out;
    private List<CausalSpan> spans;

    @Setup
    public void open() {
        Random random = new Random(20261122);
        kernels = KernelProvider.open("vector", 1);
        q = kernels.upload(Matrices.floats(random, HEADS * SHAPE.dim()));
        out = kernels.allocate(HEADS * SHAPE.dim());
        List<Floats> pages = IntStream.rangeClosed(0, position / KeyValueShape.PAGE_ROWS)
                .mapToObj(page -> kernels.upload(Matrices.floats(random, SHAPE.pageFloats())))
                .toList();
        spans = List.of(new CausalSpan(0, 1, position, pages));
    }

    @Benchmark
    public Floats row() {
        kernels.attendCausal(q, HEADS, SHAPE, spans, 0.1, out);
        return out;
    }

    @TearDown
    public void close() {
        kernels.close();
    }
}
