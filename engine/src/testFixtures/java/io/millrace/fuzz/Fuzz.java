package io.millrace.fuzz;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Locale;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.regex.Pattern;

/// Damages one input many times over and watches what reads it. Each damaged input is accepted, or refused
/// with a message that names the file and the place; anything else is a failure: another exception, more than
/// five seconds of processor time, waiting without end, an allocation beyond the bound. A crash of the JVM
/// fails the build by itself.
///
/// Damage `i` depends on the seed and `i` alone. System properties: `millrace.fuzz.count`,
/// `millrace.fuzz.seed`, and `millrace.fuzz.index` to do one again.
public final class Fuzz {
    private static final int COUNT = Integer.getInteger("millrace.fuzz.count", 300);
    private static final long SEED = Long.getLong("millrace.fuzz.seed", 20_260_424);
    private static final int INDEX = Integer.getInteger("millrace.fuzz.index", -1);

    private static final Duration MAX_CPU = Duration.ofSeconds(5);
    /// Without processor time: this machine may be busy with others.
    private static final Duration MAX_WAIT = Duration.ofMinutes(5);
    private static final Duration LOOK = Duration.ofMillis(100);

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final OperatingSystemMXBean PROCESS =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private final String target;
    private final byte[] original;
    private final Mutation mutation;
    private final Pattern place;
    private final long maxAllocatedBytes;

    // of the mutation under way, written by the worker
    private volatile int index = -1;
    private volatile long cpuAtStart;
    private volatile long nanosAtStart;

    private int accepted;
    private long longestCpu;
    private long mostAllocated;
    private volatile Throwable failure;

    /// @param target for messages
    /// @param original undamaged
    /// @param place what every message of a refusal holds: the file's name, and where in it
    /// @param maxAllocatedBytes bound of what one read may allocate
    public Fuzz(String target, byte[] original, Mutation mutation, Pattern place, long maxAllocatedBytes) {
        this.target = target;
        this.original = original;
        this.mutation = mutation;
        this.place = place;
        this.maxAllocatedBytes = maxAllocatedBytes;
    }

    /// Reads one input, on a thread of its own that reads all of them.
    public interface Reader {
        /// @return the message it was refused with, or null if it was accepted
        String read(byte[] damaged) throws Exception;
    }

    /// @throws AssertionError with seed and index of the first damage that is not met as it should be
    public void run(Reader reader) throws InterruptedException {
        Thread worker = Thread.ofPlatform().name("fuzz").daemon().unstarted(() -> readAll(reader));
        worker.start();
        while (!worker.join(LOOK)) {
            watch(worker);
        }
        if (failure != null) {
            throw new AssertionError(name() + ": " + failure, failure);
        }
        int count = INDEX < 0 ? COUNT : 1;
        System.out.printf(
                Locale.ROOT,
                "fuzz %s: seed %d, %d damaged inputs, %d refused, %d accepted, longest %.3f s, most %.1f MB allocated%n",
                target,
                SEED,
                count,
                count - accepted,
                accepted,
                longestCpu / 1e9,
                mostAllocated / 1e6);
    }

    private String name() {
        return "fuzz " + target + ", -Dmillrace.fuzz.seed=" + SEED + " -Dmillrace.fuzz.index=" + index;
    }

    private void watch(Thread worker) {
        long cpu = PROCESS.getProcessCpuTime() - cpuAtStart;
        long nanos = System.nanoTime() - nanosAtStart;
        if (index >= 0 && (cpu > MAX_CPU.toNanos() || nanos > MAX_WAIT.toNanos())) {
            AssertionError hang = new AssertionError(
                    name() + ": hangs, after " + cpu / 1_000_000 + " ms of processor time in " + nanos / 1_000_000 + " ms");
            hang.setStackTrace(worker.getStackTrace());
            throw hang;
        }
    }

    private void readAll(Reader reader) {
        try {
            // what is loaded and compiled once is not the first damage's
            String refusal = reader.read(original);
            if (refusal != null) {
                throw new AssertionError("refused undamaged: " + refusal);
            }
            for (int at = INDEX < 0 ? 0 : INDEX; at < (INDEX < 0 ? COUNT : INDEX + 1); at++) {
                readOne(reader, at);
            }
        } catch (Throwable e) {
            failure = e;
        }
    }

    private void readOne(Reader reader, int at) throws Exception {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(SEED * 1_000_003 + at);
        byte[] damaged = mutation.apply(original, random);
        cpuAtStart = PROCESS.getProcessCpuTime();
        nanosAtStart = System.nanoTime();
        index = at;
        long allocatedBefore = THREADS.getTotalThreadAllocatedBytes();
        String refusal = reader.read(damaged);
        long allocated = THREADS.getTotalThreadAllocatedBytes() - allocatedBefore;
        longestCpu = Math.max(longestCpu, PROCESS.getProcessCpuTime() - cpuAtStart);
        mostAllocated = Math.max(mostAllocated, allocated);
        if (refusal == null) {
            accepted++;
        } else if (!place.matcher(refusal).find()) {
            throw new AssertionError("expected a message with /" + place + "/, got: " + refusal);
        }
        if (allocated > maxAllocatedBytes) {
            throw new AssertionError("expected at most " + maxAllocatedBytes + " bytes allocated, got " + allocated);
        }
    }
}
