package io.millrace.jobs;

import io.millrace.engine.api.ExpertLoad;
import io.millrace.udf.RunProgress;
import java.io.BufferedReader;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Writes beside the output what executors report of their work. That these files cannot be written is
/// logged and stops nothing: the rows are what a run is for.
final class RunMetrics {
    /// A line for each look.
    static final String SAMPLES = "metrics.jsonl";
    /// Tokens that each expert was given, of all starts that ended.
    static final String EXPERTS = "experts.json";

    private static final Logger log = LoggerFactory.getLogger(RunMetrics.class);
    /// The file is written whole each time, with no more than these bytes per second.
    private static final long BYTES_PER_MILLI = 1000;

    private final CompletionSink sink;
    private final int start;
    private final long startedNanos = System.nanoTime();
    private @Nullable MetricSamples samples;

    /// @param start which start of the run, from 1
    RunMetrics(CompletionSink sink, int start) {
        this.sink = sink;
        this.start = start;
    }

    /// Looks and writes until it is closed.
    Sampling sample() {
        return new Sampling();
    }

    private synchronized long look() {
        try {
            if (samples == null) {
                samples = new MetricSamples(earlier());
            }
            samples.add(
                    Instant.now(), start, Duration.ofNanos(System.nanoTime() - startedNanos), RunProgress.reports());
            String text = samples.text();
            sink.writeAside(SAMPLES, text);
            return Math.max(samples.interval().toMillis(), text.length() / BYTES_PER_MILLI);
        } catch (JobException | IOException e) {
            log.warn("{} was not written", sink.aside(SAMPLES), e);
            return TimeUnit.MINUTES.toMillis(1);
        }
    }

    private List<String> earlier() throws IOException {
        try (BufferedReader lines = sink.openAside(SAMPLES)) {
            return lines.lines().toList();
        } catch (FileNotFoundException _) {
            return List.of();
        }
    }

    /// The time between two looks at the same engines.
    final class Sampling implements AutoCloseable {
        private final Map<String, ExpertLoad> before = RunProgress.experts();
        private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(
                1, Thread.ofPlatform().name("metrics").daemon().factory());

        private Sampling() {
            timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
            lookAgain();
        }

        private void lookAgain() {
            long millis = look();
            if (!timer.isShutdown()) {
                Future<?> _ = timer.schedule(this::lookAgain, millis, TimeUnit.MILLISECONDS);
            }
        }

        /// What executors did before the end of the last job has been heard by now.
        @Override
        public void close() {
            // not now: an interrupted write would be told of as a fault
            timer.shutdown();
            long _ = look();
            writeExperts();
        }

        private void writeExperts() {
            try {
                ExpertLoad earlier = sink.readAside(EXPERTS, ExpertLoad.class);
                ExpertLoad load = ExpertLoad.NONE;
                for (Map.Entry<String, ExpertLoad> executor :
                        RunProgress.experts().entrySet()) {
                    load = sum(load, since(executor.getValue(), before.get(executor.getKey())));
                }
                if (load.layers().isEmpty()) {
                    return;
                }
                sink.writeAside(EXPERTS, MetricSamples.json(earlier == null ? load : sum(load, earlier)));
            } catch (JobException e) {
                log.warn("{} was not written", sink.aside(EXPERTS), e);
            }
        }

        /// Where kinds of engines that count other experts compute side by side, those of the first are told.
        private static ExpertLoad sum(ExpertLoad load, ExpertLoad other) {
            return load.layers().isEmpty() || load.isOfSameShape(other) ? load.plus(other) : load;
        }

        /// An engine that was opened since has counted from nothing.
        private static ExpertLoad since(ExpertLoad now, @Nullable ExpertLoad before) {
            return before == null || !now.isOfSameShape(before) || total(now) < total(before) ? now : now.since(before);
        }

        private static long total(ExpertLoad load) {
            return load.layers().stream().mapToLong(ExpertLoad.Layer::total).sum();
        }
    }
}
