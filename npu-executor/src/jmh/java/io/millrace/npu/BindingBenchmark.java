package io.millrace.npu;

import io.millrace.engine.tensor.Floats;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
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

/// What calling a card costs the host, without what the card does: on a software card that computes
/// nothing, microseconds a call.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class BindingBenchmark {
    /// After which the queue, which is the card's work, is waited for.
    private static final int CALLS = 500;

    private NpuKernels kernels;
    private Card card;
    private MemoryPool pool;
    private Launcher launcher;
    private Tensor a;
    private Tensor b;
    private Tensor c;
    private Tensor groups;
    private Floats floats;
    private final float[] target = new float[64];

    @Setup
    public void open() {
        SoftwareCard software = SoftwareCard.get();
        software.compute(false);
        Libraries libraries = Libraries.open(List.of(software.folder("latest")), List.of());
        card = Card.open(Acl.of(libraries), 0, Duration.ofMinutes(1));
        pool = new MemoryPool(card);
        launcher = new Launcher(card, libraries, pool);
        a = pool.floats(4096).tensor(64, 64);
        b = pool.floats(4096).tensor(64, 64);
        c = pool.floats(4096).tensor(64, 64);
        groups = Tensor.dense(pool.take(8), AclType.INT64, 1, 0, 1);
        kernels = NpuKernels.open(libraries, 1, Arithmetic.F32, Duration.ofMinutes(1));
        floats = kernels.upload(new float[64]);
    }

    private void calls(IntConsumer call) {
        card.use();
        for (int i = 0; i < CALLS; i++) {
            call.accept(i);
        }
        card.synchronize(card.computeStream());
    }

    /// One tensor to another, planned before (aclnnSqrt).
    @Benchmark
    @OperationsPerInvocation(CALLS)
    public void operator() {
        calls(_ -> launcher.run(Operator.SQRT, a, b));
    }

    /// The same with tensors that lie elsewhere each time.
    @Benchmark
    @OperationsPerInvocation(CALLS)
    public void operatorElsewhere() {
        calls(i -> launcher.run(Operator.SQRT, i % 2 == 0 ? a : b, c));
    }

    /// A product, planned before (aclnnMm).
    @Benchmark
    @OperationsPerInvocation(CALLS)
    public void product() {
        calls(_ -> launcher.run(Operator.MM, a, b, c, (byte) 0));
    }

    /// A product with lists, planned each time (aclnnGroupedMatmulV4).
    @Benchmark
    @OperationsPerInvocation(CALLS)
    public void groupedProduct() {
        calls(_ -> launcher.run(
                Operator.GROUPED_MATMUL_V4,
                new Launcher.Single(a),
                new Launcher.Single(b.shaped(1, 64, 64)),
                null,
                null,
                null,
                null,
                null,
                null,
                groups,
                null,
                null,
                null,
                3L,
                0L,
                1L,
                0L,
                new Launcher.Single(c),
                null,
                null));
    }

    /// A copy of 1 KiB on the card (aclrtMemcpyAsync).
    @Benchmark
    @OperationsPerInvocation(CALLS)
    public void copy() {
        calls(_ -> card.copy(Card.Direction.ON_DEVICE, b.address(), a.address(), 1024, card.computeStream()));
    }

    /// Waiting for a card that has nothing to do.
    @Benchmark
    public void idle() {
        card.use();
        card.synchronize(card.computeStream());
    }

    /// 64 floats to the host, with two waits for another thread.
    @Benchmark
    public float[] toHost() {
        kernels.read(floats, 0, target, 0, target.length);
        return target;
    }

    @TearDown
    public void close() {
        kernels.close();
        card.use();
        card.stop();
        launcher.close();
        pool.close();
        card.close();
    }
}
