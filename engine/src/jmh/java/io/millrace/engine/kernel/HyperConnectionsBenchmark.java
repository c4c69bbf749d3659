package io.millrace.engine.kernel;

import io.millrace.engine.Matrices;
import io.millrace.engine.tensor.Floats;
import java.util.Random;
import java.util.concurrent.TimeUnit;
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

/// One site of DeepSeek-V4's hyper-connections, four streams of 1024, by one thread: microseconds for all
/// rows.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(value = 1, jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class HyperConnectionsBenchmark {
    private static final int STREAMS = 4;
    private static final int MIXES = (2 + STREAMS) * STREAMS;
    private static final int DIM = 1024;

    @Param({"native", "vector"})
    public String ring;

    @Param({"1", "64"})
    public int rows;

    private Kernels kernels;
    private Kernels.HyperSite site;
    private Floats streams;
    private Floats collapsed;
    private Floats post;
    private Floats combine;

    @Setup
    public void open() {
        Random random = new Random(20261122);
        kernels = KernelProvider.open(ring, 1);
        site = new Kernels.HyperSite(
                STREAMS,
                Matrices.f32(MIXES, STREAMS * DIM, Matrices.floats(random, MIXES * STREAMS * DIM)),
                kernels.upload(Matrices.floats(random, MIXES)),
                kernels.upload(new float[] {1, 1, 1}),
                20,
                1e-6,
                1e-6);
        streams = kernels.upload(Matrices.floats(random, rows * STREAMS * DIM));
        collapsed = kernels.allocate(rows * DIM);
        post = kernels.allocate(rows * STREAMS);
        combine = kernels.allocate(rows * STREAMS * STREAMS);
    }

    /// The mixing weights, Sinkhorn's normalisation and the collapsed stream.
    @Benchmark
    public Floats mix() {
        kernels.hyperMix(streams, rows, DIM, site, collapsed, post, combine);
        return collapsed;
    }

    /// A sub-layer's output into all streams.
    @Benchmark
    public Floats expand() {
        kernels.hyperExpand(collapsed, post, combine, rows, STREAMS, DIM, streams);
        return streams;
    }

    @TearDown
    public void close() {
        kernels.close();
    }
}
