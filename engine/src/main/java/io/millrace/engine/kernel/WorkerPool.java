package io.millrace.engine.kernel;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// A fixed set of threads that shares out the items of one operation at a time. The caller works too;
/// between two operations of a step the others spin briefly, since the next one follows within microseconds,
/// and then park.
///
/// What an item computes must not depend on which worker takes it.
final class WorkerPool implements AutoCloseable {
    /// The work on one item.
    interface Body {
        /// @param worker which of the pool's threads, in [0, size): indexes scratch memory
        void run(int item, int worker);
    }

    private static final int SPINS = 2_000;

    /// Numbers in a cache line.
    private static final int LINE = 16;

    private static final long NAP_NANOS = 20_000;

    private final Thread[] threads;
    // by worker less one: not 0 from before its last look for a job until it wakes
    private final AtomicIntegerArray parked;
    private volatile @Nullable Job job;
    private volatile boolean closed;

    /// Every worker begins with a range of its own, since neighbouring items read neighbouring memory; who
    /// is done with it takes from the others' ranges.
    private static final class Job {
        final Body body;
        final int items;
        final int size;
        // by worker, each in a cache line of its own
        final AtomicIntegerArray next;
        final AtomicInteger finished = new AtomicInteger();
        volatile @Nullable Throwable failure;

        Job(Body body, int items, int size) {
            this.body = body;
            this.items = items;
            this.size = size;
            this.next = new AtomicIntegerArray(size * LINE);
            for (int i = 0; i < size; i++) {
                next.setPlain(i * LINE, first(i));
            }
        }

        private int first(int worker) {
            return (int) ((long) items * worker / size);
        }

        void work(int worker) {
            for (int i = 0; i < size; i++) {
                int owner = (worker + i) % size;
                int end = first(owner + 1);
                for (int item = next.getAndIncrement(owner * LINE);
                        item < end;
                        item = next.getAndIncrement(owner * LINE)) {
                    run(item, worker);
                }
            }
        }

        private void run(int item, int worker) {
            try {
                body.run(item, worker);
            } catch (RuntimeException | Error e) {
                failure = e;
            } finally {
                finished.incrementAndGet();
            }
        }
    }

    WorkerPool(int size) {
        threads = new Thread[size - 1];
        parked = new AtomicIntegerArray(size - 1);
        for (int i = 0; i < threads.length; i++) {
            int worker = i + 1;
            threads[i] = new Thread(() -> serve(worker), "millrace-worker-" + worker);
            threads[i].setDaemon(true);
            threads[i].start();
        }
    }

    /// Threads that may run items, the caller included.
    int size() {
        return threads.length + 1;
    }

    /// Runs the body for every item in [0, items) and returns when all are done. One caller at a time.
    void forEach(int items, Body body) {
        if (items <= 1 || threads.length == 0) {
            for (int item = 0; item < items; item++) {
                body.run(item, 0);
            }
            return;
        }
        Job current = new Job(body, items, size());
        job = current;
        for (int i = 0; i < threads.length; i++) {
            // a worker that still spins sees the job by itself
            if (parked.get(i) != 0) {
                LockSupport.unpark(threads[i]);
            }
        }
        current.work(0);
        join(current);
        job = null;
        rethrow(current.failure);
    }

    /// Waits for the others' last items: soon done, unless their threads have lost their processors.
    private static void join(Job current) {
        for (int spins = 0; current.finished.get() < current.items; spins++) {
            if (spins < SPINS) {
                Thread.onSpinWait();
            } else {
                LockSupport.parkNanos(NAP_NANOS);
            }
        }
    }

    private static void rethrow(@Nullable Throwable failure) {
        if (failure instanceof Error e) {
            throw e;
        }
        if (failure instanceof RuntimeException e) {
            throw e;
        }
    }

    private void serve(int worker) {
        Job last = null;
        int idle = 0;
        while (!closed) {
            Job current = job;
            if (current != null && current != last) {
                current.work(worker);
                last = current;
                idle = 0;
            } else if (idle < SPINS) {
                idle++;
                Thread.onSpinWait();
            } else {
                park(worker - 1, last);
            }
        }
    }

    // the flag goes up before the last look: a caller that misses it has set its job before that look
    private void park(int index, @Nullable Job last) {
        parked.set(index, 1);
        Job current = job;
        if ((current == null || current == last) && !closed) {
            LockSupport.park(this);
        }
        parked.set(index, 0);
    }

    @Override
    public void close() {
        closed = true;
        for (Thread thread : threads) {
            LockSupport.unpark(thread);
        }
    }
}
