package io.millrace.engine.api;

import java.nio.file.Path;

/// Settings of an engine, fixed when it is opened.
///
/// @param modelDir folder with config.json, safetensors and tokenizer.json, or a GGUF file or folder with one
/// @param ring which kernels: `auto`, `native`, `native:LEVEL`, `vector`, `reference`, or a device's name,
///     `npu`, with its choice behind a colon
/// @param threads worker threads, >= 1
/// @param cacheBudgetBytes upper bound of all sequences' caches together; admission waits for it
/// @param stepTokens upper bound of tokens processed in one step, prefill and decode together, >= 1
/// @param maxRunning upper bound of sequences in the running batch, >= 1
/// @param cacheRounding whether cached rows take the rounding the model was trained with
/// @param prefixSharing whether the common beginning of several prompts is computed once; no answer depends
///     on it
/// @param speculation whether small batches guess tokens ahead with the checkpoint's prediction block, if it
///     has one; no answer depends on it
public record EngineConfig(
        Path modelDir,
        String ring,
        int threads,
        long cacheBudgetBytes,
        int stepTokens,
        int maxRunning,
        CacheRounding cacheRounding,
        boolean prefixSharing,
        boolean speculation) {

    /// With shared prefixes and speculation.
    public EngineConfig(
            Path modelDir,
            String ring,
            int threads,
            long cacheBudgetBytes,
            int stepTokens,
            int maxRunning,
            CacheRounding cacheRounding) {
        this(modelDir, ring, threads, cacheBudgetBytes, stepTokens, maxRunning, cacheRounding, true, true);
    }

    public EngineConfig {
        require(threads >= 1, "threads", ">= 1", threads);
        require(cacheBudgetBytes > 0, "cacheBudgetBytes", "> 0", cacheBudgetBytes);
        require(stepTokens >= 1, "stepTokens", ">= 1", stepTokens);
        require(maxRunning >= 1, "maxRunning", ">= 1", maxRunning);
    }

    /// Defaults for a model folder: all processors, a quarter of the heap for caches.
    public static EngineConfig of(Path modelDir) {
        Runtime runtime = Runtime.getRuntime();
        return new EngineConfig(
                modelDir,
                "auto",
                runtime.availableProcessors(),
                runtime.maxMemory() / 4,
                2048,
                256,
                CacheRounding.AUTO);
    }

    private static void require(boolean holds, String name, String expected, Object got) {
        if (!holds) {
            throw new EngineException(
                    ErrorCode.BAD_CONFIGURATION, "engine." + name + ": expected " + expected + ", got " + got);
        }
    }
}
