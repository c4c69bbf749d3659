package io.millrace.jobs.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.jobs.JobException;
import io.millrace.jobs.bench.VitalSigns.Sign;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Whether a process that works for long holds more and more: the default job over the bundled corpus again and
/// again in one JVM, each time with a session and an engine of its own, while what the process holds is
/// written down. Needs Linux.
final class SoakTrial implements Trial {
    private static final long PERIOD_MILLIS = 5000;
    /// Of the time, at first: what the compiler and the caches take is not counted.
    private static final double WARM_UP = 1.0 / 6;
    /// Of the rest, at its beginning and its end: what is compared.
    private static final double EDGE = 1.0 / 5;

    private final Path model;
    private final int rows;
    private final int threads;
    private final Duration time;
    private final @Nullable Path folder;

    private final List<VitalSigns> signs = new ArrayList<>();
    private volatile int pass;
    private volatile double heapMib = VitalSigns.aliveMib();
    private final long begun = System.nanoTime();

    /// @param rows of the corpus in each pass
    /// @param time after which no further pass is begun
    /// @param folder where `soak.csv` and `soak.png` are to be written; null for nowhere
    SoakTrial(Path model, int rows, int threads, Duration time, @Nullable Path folder) {
        this.model = model;
        this.rows = rows;
        this.threads = threads;
        this.time = time;
        this.folder = folder;
    }

    @Override
    public ObjectNode run() throws IOException {
        if (folder != null) {
            Files.writeString(folder.resolve("soak.csv"), VitalSigns.csvHead() + "\n");
        }
        double tokensPerSecond;
        try (ScheduledExecutorService watch = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().name("millrace-vital-signs").daemon().factory())) {
            Future<?> looks = watch.scheduleAtFixedRate(this::look, 0, PERIOD_MILLIS, TimeUnit.MILLISECONDS);
            tokensPerSecond = work();
            requireNoFailure(looks);
            looks.cancel(false);
        }
        look();
        if (folder != null) {
            SoakPicture.draw(signs, folder.resolve("soak.png"));
        }
        return figures(tokensPerSecond);
    }

    /// @return median of the passes' tokens per second
    private double work() throws IOException {
        List<Double> rates = new ArrayList<>();
        do {
            pass = rates.size() + 1;
            rates.add(SummarizeRun.of(model, rows, "-c", "engine.threads=" + threads)
                    .tokensPerSecond());
            heapMib = VitalSigns.aliveMib();
        } while (seconds() < time.toSeconds());
        return Results.median(rates.stream().mapToDouble(Double::doubleValue)).orElseThrow();
    }

    private double seconds() {
        return (System.nanoTime() - begun) / 1e9;
    }

    private void look() {
        try {
            VitalSigns now = VitalSigns.now(seconds(), pass, heapMib);
            signs.add(now);
            if (folder != null) {
                Files.writeString(folder.resolve("soak.csv"), now.csvLine() + "\n", StandardOpenOption.APPEND);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// A look that fails is the last one.
    private static void requireNoFailure(Future<?> looks) {
        if (looks.isDone()) {
            throw new JobException("vital signs: " + looks.exceptionNow().getMessage(), looks.exceptionNow());
        }
    }

    private ObjectNode figures(double tokensPerSecond) {
        ObjectNode figures = new ObjectMapper().createObjectNode();
        figures.put("minutes", seconds() / 60).put("passes", pass).put("rows_of_a_pass", rows);
        figures.put("tokens_per_second", tokensPerSecond).put("looks", signs.size());
        double warm = seconds() * WARM_UP;
        List<VitalSigns> after =
                signs.stream().filter(now -> now.seconds() >= warm).toList();
        int edge = (int) Math.ceil(after.size() * EDGE);
        for (Sign sign : VitalSigns.ALL) {
            ObjectNode figure = figures.putObject(sign.name());
            figure.put("at_first", median(sign, after.subList(0, edge)));
            figure.put("at_last", median(sign, after.subList(after.size() - edge, after.size())));
            figure.put("most", after.stream().mapToDouble(sign.value()).max().orElseThrow());
        }
        return figures;
    }

    private static double median(Sign sign, List<VitalSigns> signs) {
        return Results.median(signs.stream().mapToDouble(sign.value())).orElseThrow();
    }
}
