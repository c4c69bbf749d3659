package io.millrace.udf;

import io.millrace.engine.api.EngineStats;
import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/// A real engine whose counters outlive its process, however that ends: every few milliseconds they are put
/// into a mapped file of two longs, prompt tokens and completion tokens.
final class CountedEngine extends ForwardingEngine {
    private static final long PERIOD_MILLIS = 10;

    private final MappedByteBuffer counters;
    private final ScheduledExecutorService writer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("counted-engine").daemon().factory());

    CountedEngine(PromptEngine engine, Path folder) throws IOException {
        super(engine);
        Path file = folder.resolve("engine-" + UUID.randomUUID());
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            counters = channel.map(FileChannel.MapMode.READ_WRITE, 0, 2 * Long.BYTES);
        }
        Future<?> _ = writer.scheduleAtFixedRate(this::write, PERIOD_MILLIS, PERIOD_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void write() {
        EngineStats stats = stats();
        counters.putLong(0, stats.promptTokens());
        counters.putLong(Long.BYTES, stats.completionTokens());
    }

    @Override
    public void close() {
        writer.shutdownNow();
        super.close();
        write();
    }
}
