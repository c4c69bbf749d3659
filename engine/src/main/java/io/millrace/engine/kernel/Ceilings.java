package io.millrace.engine.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.DoubleStream;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import org.jspecify.annotations.Nullable;

/// The most that the cores and the memory of this machine do, measured now: what an engine's speed is a
/// fraction of. Nothing else should run meanwhile.
public final class Ceilings {
    /// What is measured. Operations count a multiply-add as two.
    public enum Ceiling {
        /// int8 operations per second on vectors: VNNI, AVX2 or Armv8.2 dot products.
        INT8,
        /// int8 operations per second on AMX tiles.
        INT8_TILES,
        /// bfloat16 operations per second on AMX tiles.
        BF16_TILES,
        /// Operations per second of the Vector API in float.
        FLOAT,
        /// Bytes per second read from memory.
        MEMORY
    }

    /// A ceiling is the best of several tries: what disturbs one is not the machine's limit.
    private static final int TRIES = 4;
    private static final long NANOS = 150_000_000;
    private static final long SPINS = 50_000;
    private static final int FLOAT_ROUNDS = 200_000;
    /// Read by one thread: more than caches hold.
    private static final long BYTES = 512L << 20;

    private Ceilings() {}

    /// @param threads how many cores work at once
    /// @return what this machine has, summed over the threads
    public static Map<Ceiling, Double> measure(int threads) {
        Map<Ceiling, Double> measured = new EnumMap<>(Ceiling.class);
        try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
            NativeLibrary.Functions functions = NativeLibrary.functions();
            if (functions != null) {
                put(measured, Ceiling.INT8, spin(pool, threads, functions, 0));
                put(measured, Ceiling.INT8_TILES, spin(pool, threads, functions, 1));
                put(measured, Ceiling.BF16_TILES, spin(pool, threads, functions, 2));
            }
            measured.put(Ceiling.FLOAT, best(pool, Collections.nCopies(threads, Ceilings::multiplyAdds)));
            measured.put(Ceiling.MEMORY, memory(pool, threads, functions));
        }
        return measured;
    }

    private static void put(Map<Ceiling, Double> measured, Ceiling ceiling, @Nullable Double rate) {
        if (rate != null) {
            measured.put(ceiling, rate);
        }
    }

    private static @Nullable Double spin(
            ExecutorService pool, int threads, NativeLibrary.Functions functions, int unit) {
        return functions.spin(unit, 1) < 0
                ? null
                : best(pool, Collections.nCopies(threads, () -> functions.spin(unit, SPINS)));
    }

    private static double memory(ExecutorService pool, int threads, NativeLibrary.@Nullable Functions functions) {
        try (Arena arena = Arena.ofShared()) {
            List<Callable<Long>> readers = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                MemorySegment segment = arena.allocate(BYTES, Long.BYTES).fill((byte) 1);
                readers.add(() -> {
                    long found = functions == null ? read(segment) : functions.read(segment);
                    // always so, and keeps the loop alive
                    return found != 0 ? BYTES : 0;
                });
            }
            return best(pool, readers);
        }
    }

    private static double best(ExecutorService pool, List<Callable<Long>> works) {
        return DoubleStream.generate(() -> sum(pool, works)).limit(TRIES).max().orElseThrow();
    }

    /// What all workers do per second when each begins with the others and goes on for a while.
    private static double sum(ExecutorService pool, List<Callable<Long>> works) {
        CyclicBarrier start = new CyclicBarrier(works.size());
        List<Future<Double>> rates = new ArrayList<>();
        for (Callable<Long> work : works) {
            rates.add(pool.submit(() -> {
                start.await();
                return rate(work);
            }));
        }
        double sum = 0;
        for (Future<Double> rate : rates) {
            sum += get(rate);
        }
        return sum;
    }

    private static double rate(Callable<Long> work) throws Exception {
        long begun = System.nanoTime();
        long done = 0;
        long nanos = 0;
        while (nanos < NANOS) {
            done += work.call();
            nanos = System.nanoTime() - begun;
        }
        return done * 1e9 / nanos;
    }

    private static double get(Future<Double> rate) {
        try {
            return rate.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while measuring", e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("a measurement failed", e);
        }
    }

    /// Eight chains, which the latency of an addition asks for.
    private static long multiplyAdds() {
        FloatVector a = FloatVector.zero(VectorConstants.FLOATS);
        FloatVector x = FloatVector.broadcast(VectorConstants.FLOATS, 0.5f);
        FloatVector b = a, c = a, d = a, e = a, f = a, g = a, h = a;
        for (int i = 0; i < FLOAT_ROUNDS; i++) {
            a = x.lanewise(VectorOperators.FMA, x, a);
            b = x.lanewise(VectorOperators.FMA, x, b);
            c = x.lanewise(VectorOperators.FMA, x, c);
            d = x.lanewise(VectorOperators.FMA, x, d);
            e = x.lanewise(VectorOperators.FMA, x, e);
            f = x.lanewise(VectorOperators.FMA, x, f);
            g = x.lanewise(VectorOperators.FMA, x, g);
            h = x.lanewise(VectorOperators.FMA, x, h);
        }
        float sum = a.add(b).add(c.add(d)).add(e.add(f).add(g.add(h))).reduceLanes(VectorOperators.ADD);
        // always true, and keeps the loop alive
        return sum > 0 ? 8L * FLOAT_ROUNDS * VectorConstants.LANES * 2 : 0;
    }

    /// Where there are no compiled kernels; it cannot ask for memory ahead, and finds half of what
    /// there is.
    private static long read(MemorySegment segment) {
        long step = 4L * LongVector.SPECIES_PREFERRED.vectorByteSize();
        LongVector a = LongVector.zero(LongVector.SPECIES_PREFERRED);
        LongVector b = a;
        for (long at = 0; at + step <= BYTES; at += step) {
            a = a.or(longs(segment, at)).or(longs(segment, at + step / 4));
            b = b.or(longs(segment, at + step / 2)).or(longs(segment, at + step / 4 * 3));
        }
        return a.or(b).reduceLanes(VectorOperators.OR);
    }

    private static LongVector longs(MemorySegment segment, long at) {
        return LongVector.fromMemorySegment(LongVector.SPECIES_PREFERRED, segment, at, ByteOrder.nativeOrder());
    }
}
