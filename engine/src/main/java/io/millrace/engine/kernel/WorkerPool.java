package io.millrace.engine.kernel;

import java.util.concurrent.atomic.AtomicInteger;
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

    private final Thread[] threads;
    private volatile @Nullable Job job;
    private volatile boolean closed;

    private static final class Job {
        final Body body;
        final int items;
        final AtomicInteger next = new AtomicInteger();
        final AtomicInteger finished = new AtomicInteger();
        volatile @Nullable Throwable failure;

        Job(Body body, int items) {
            this.body = body;
            this.items = items;
        }

        void work(int worker) {
            for (int item = next.getAndIncrement(); item < items; item = next.getAndIncrement()) {
                try {
                    body.run(item, worker);
                } catch (RuntimeException | Error e) {
                    failure = e;
                } finally {
                    finished.incrementAndGet();
                }
            }
        }
    }

    WorkerPool(int size) {
        threads = new Thread[size - 1];
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
        Job current = new Job(body, items);
        job = current;
        for (Thread thread : threads) {
            LockSupport.unpark(thread);
        }
        current.work(0);
        while (current.finished.get() < items) {
            Thread.onSpinWait();
        }
        job = null;
        rethrow(current.failure);
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
                LockSupport.park(this);
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        for (Thread thread : threads) {
            LockSupport.unpark(thread);
        }
    }
}
