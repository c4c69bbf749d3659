package io.millrace.jobs.inspect;

import io.millrace.engine.LocalEngine;
import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineConfig;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/// Which model, and how it is run; shared by the commands that open one.
public final class ModelOption {

    @Option(names = "--model", paramLabel = "DIR", required = true, description = "Model folder.")
    private Path model = Path.of("");

    @Option(
            names = "--ring",
            paramLabel = "RING",
            defaultValue = "auto",
            description = "Kernels: auto, native, native:LEVEL, vector or reference. Default: ${DEFAULT-VALUE}.")
    private String ring = "auto";

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "0",
            description = "Worker threads. Default: all processors.")
    private int threads;

    @Option(
            names = "--cache-rounding",
            paramLabel = "WHEN",
            defaultValue = "auto",
            description = "Round cached rows as the model was trained: auto, on or off. Default: ${DEFAULT-VALUE}.")
    private CacheRounding cacheRounding = CacheRounding.AUTO;

    /// The folder or file as given.
    public Path dir() {
        return model;
    }

    /// The caller closes it.
    public LocalEngine open() {
        return open(ring);
    }

    /// With the reference kernels, unless others were asked for by name. The caller closes it.
    LocalEngine openReference() {
        return open(ring.equals("auto") ? "reference" : ring);
    }

    private LocalEngine open(String chosenRing) {
        EngineConfig machine = EngineConfig.of(model);
        return LocalEngine.open(new EngineConfig(
                model,
                chosenRing,
                threads == 0 ? machine.threads() : threads,
                machine.cacheBudgetBytes(),
                machine.stepTokens(),
                machine.maxRunning(),
                cacheRounding));
    }
}
