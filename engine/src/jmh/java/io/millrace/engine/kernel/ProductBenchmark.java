package io.millrace.engine.kernel;

import io.millrace.engine.Matrices;
import io.millrace.engine.tensor.DType;
import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.Matrix;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// Products on stored weights by one thread, each time another matrix, so that weights come from memory as
/// in a model: microseconds for a product of 2048 outputs and 1024 columns.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(value = 1, jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class ProductBenchmark {
    private static final int OUTPUTS = 2048;
    private static final int COLUMNS = 1024;
    private static final int MATRICES = 32;

    @Param({"native", "vector"})
    public String ring;

    @Param({"Q8_0", "Q4_0", "Q4_K", "Q6_K", "MXFP4", "FP4_E2M1", "F8_E4M3", "BF16", "F32"})
    public DType format;

    @Param({"1", "16", "64"})
    public int rows;

    private Kernels kernels;
    private Matrix[] matrices;
    private Floats x;
    private Floats y;

    @Setup
    public void open() {
        Random random = new Random(20261122);
        kernels = KernelProvider.open(ring, 1);
        matrices = new Matrix[MATRICES];
        for (int i = 0; i < MATRICES; i++) {
            matrices[i] = matrix(random);
        }
        x = kernels.upload(Matrices.floats(random, rows * COLUMNS));
        y = kernels.allocate(rows * OUTPUTS);
    }

    private Matrix matrix(Random random) {
        return switch (format) {
            case Q8_0, Q4_0, Q4_K, Q6_K, MXFP4 -> Matrices.blocks(random, format, OUTPUTS, COLUMNS);
            case FP4_E2M1 -> Matrices.random(
                    random, format, OUTPUTS, COLUMNS, Matrices.powers(random, OUTPUTS, COLUMNS, 1, 32));
            case F8_E4M3 -> Matrices.random(
                    random, format, OUTPUTS, COLUMNS, Matrices.powers(random, OUTPUTS, COLUMNS, 128, 128));
            default -> Matrices.random(random, format, OUTPUTS, COLUMNS, null);
        };
    }

    @Benchmark
    @OperationsPerInvocation(MATRICES)
    public Floats product() {
        for (Matrix matrix : matrices) {
            kernels.matmul(x, rows, matrix, y);
        }
        return y;
    }

    @TearDown
    public void close() {
        kernels.close();
    }
}
