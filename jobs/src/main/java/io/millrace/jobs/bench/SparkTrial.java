package io.millrace.jobs.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.LocalEngine;
import io.millrace.engine.api.EngineConfig;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.jobs.JobException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/// What Spark costs: the default job, rows read, spread, generated and written as Parquet, against an
/// engine without Spark that is given the same requests at once. In turn in one JVM, after a short job that
/// is not counted.
final class SparkTrial implements Trial {
    private static final double BAR = 0.95;
    private static final int WARM_UP_ROWS = 200;

    private final Path model;
    private final int rows;
    private final int rounds;
    private final String[] arguments;

    /// @param settings of the job, `KEY=VALUE`
    SparkTrial(Path model, int rows, int rounds, List<String> settings) {
        this.model = model;
        this.rows = rows;
        this.rounds = rounds;
        this.arguments = Stream.concat(Stream.of("engine.kind=" + RecordingProvider.KIND), settings.stream())
                .flatMap(setting -> Stream.of("-c", setting))
                .toArray(String[]::new);
    }

    @Override
    public ObjectNode run() throws IOException {
        job(Math.min(rows, WARM_UP_ROWS));
        RecordingProvider.takeRequests();
        List<Double> jobs = new ArrayList<>();
        List<Double> bare = new ArrayList<>();
        for (int round = 0; round < rounds; round++) {
            jobs.add(job(rows));
            bare.add(bare(RecordingProvider.takeRequests()));
        }
        return Trial.rates(rows, "job", jobs, "bare_engine", bare, BAR);
    }

    private double job(int limit) throws IOException {
        return SummarizeRun.of(model, limit, arguments).tokensPerSecond();
    }

    private double bare(List<GenerationRequest> requests) {
        try (LocalEngine engine = LocalEngine.open(EngineConfig.of(model))) {
            long begun = System.nanoTime();
            List<CompletableFuture<GenerationResult>> results =
                    requests.stream().map(engine::submit).toList();
            long tokens = 0;
            for (int i = 0; i < results.size(); i++) {
                tokens += requests.get(i).prompt().size()
                        + completionTokens(results.get(i).join());
            }
            return tokens * 1e9 / (System.nanoTime() - begun);
        }
    }

    private static int completionTokens(GenerationResult result) {
        return switch (result) {
            case GenerationResult.Completed completed -> completed.tokens().size();
            case GenerationResult.Failed failed -> throw new JobException("a row failed: " + failed.message());
        };
    }
}
