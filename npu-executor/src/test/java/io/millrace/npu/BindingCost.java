package io.millrace.npu;

import io.millrace.engine.tensor.Floats;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/// What calling a card costs the host, without what the card does: on a software card that computes nothing,
/// in microseconds a call. `SOFTCARD_COMPUTE=0 java .. BindingCost FOLDER`, the folder that
/// `src/test/c/build.sh` filled.
final class BindingCost {
    private static final int ROUNDS = 5;
    private static final int CALLS = 20_000;

    private BindingCost() {}

    /// One call of many.
    private interface Call {
        void run(int i);
    }

    public static void main(String[] arguments) {
        Libraries libraries = Libraries.open(List.of(Path.of(arguments[0]).toAbsolutePath()), List.of());
        try (NpuKernels kernels = NpuKernels.open(libraries, 0, Arithmetic.F32, Duration.ofMinutes(1))) {
            Card card = Card.open(Acl.of(libraries), 0, Duration.ofMinutes(1));
            MemoryPool pool = new MemoryPool(card);
            Launcher launcher = new Launcher(card, libraries, pool);
            Tensor a = pool.floats(4096).tensor(64, 64);
            Tensor b = pool.floats(4096).tensor(64, 64);
            Tensor c = pool.floats(4096).tensor(64, 64);
            Tensor groups = Tensor.dense(pool.take(8), AclType.INT64, 1, 0, 1);
            measure(card, "one tensor to another, planned before (aclnnSqrt)", i -> launcher.run(Operator.SQRT, a, b));
            measure(
                    card,
                    "the same, tensors elsewhere each time",
                    i -> launcher.run(Operator.SQRT, i % 2 == 0 ? a : b, c));
            measure(card, "a product, planned before (aclnnMm)", i -> launcher.run(Operator.MM, a, b, c, (byte) 0));
            measure(
                    card,
                    "a product with lists, planned each time (aclnnGroupedMatmulV4)",
                    i -> launcher.run(
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
            measure(
                    card,
                    "a copy on the card (aclrtMemcpyAsync)",
                    i -> card.copy(Card.Direction.ON_DEVICE, b.address(), a.address(), 1024, card.computeStream()));
            measure(card, "waiting for an idle card", i -> card.synchronize(card.computeStream()));
            card.stop();
            launcher.close();
            pool.close();
            card.close();
            Floats floats = kernels.upload(new float[64]);
            float[] target = new float[64];
            measure(card, "64 floats to the host", i -> kernels.read(floats, 0, target, 0, 64));
        }
    }

    private static void measure(Card card, String what, Call call) {
        double best = Double.POSITIVE_INFINITY;
        for (int round = 0; round < ROUNDS; round++) {
            long start = System.nanoTime();
            for (int i = 0; i < CALLS; i++) {
                call.run(i);
                if (i % 500 == 499 && card.computeStream() != 0) {
                    // the queue is the card's work, not the host's
                    card.synchronize(card.computeStream());
                }
            }
            best = Math.min(best, (System.nanoTime() - start) / 1000.0 / CALLS);
        }
        System.out.printf(Locale.ROOT, "%8.2f µs  %s%n", best, what);
    }
}
