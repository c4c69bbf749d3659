package io.millrace.jobs.inspect;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.engine.checkpoint.Checkpoint;
import io.millrace.engine.model.LanguageModelConfig;
import io.millrace.udf.EngineRecipe;
import io.millrace.udf.LocalEngineProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.spark.api.java.function.Function;

/// What a model takes of a host's memory, and what there is. Weights are mapped files and want physical
/// memory; caches are on the heap, or on a card.
///
/// @param weightBytes of all weights as they are stored
/// @param cacheBytes of the cache of one sequence of the length that was asked for
/// @param longestCacheBytes of the longest one
/// @param maxPositions longest sequence that the model takes
/// @param budgetBytes upper bound of all sequences' caches together
/// @param heapBytes of the process
/// @param availableBytes that the host can give without swapping; Long.MAX_VALUE where it does not say
public record ModelMemory(
        long weightBytes,
        long cacheBytes,
        long longestCacheBytes,
        int maxPositions,
        long budgetBytes,
        long heapBytes,
        long availableBytes) {
    /// Of the heap, for caches.
    private static final int HEAP_SHARE = 4;

    /// Reads headers only, no weight.
    ///
    /// @param tokens of a sequence, prompt and answer
    /// @param longest tokens of the longest
    static ModelMemory of(Checkpoint checkpoint, int tokens, int longest, long budgetBytes) {
        LanguageModelConfig config = checkpoint.model();
        long heap = Runtime.getRuntime().maxMemory();
        return new ModelMemory(
                weightBytes(checkpoint),
                config.cacheBytes(Math.min(tokens, config.maxPositionEmbeddings())),
                config.cacheBytes(Math.min(longest, config.maxPositionEmbeddings())),
                config.maxPositionEmbeddings(),
                budgetBytes == 0 ? heap / HEAP_SHARE : budgetBytes,
                heap,
                hostBytes());
    }

    static long weightBytes(Checkpoint checkpoint) {
        return checkpoint.bytesByDtype().values().stream()
                .mapToLong(Long::longValue)
                .sum();
    }

    /// What Linux says it can give without swapping; the whole address space where it does not say.
    static long hostBytes() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
                if (line.startsWith("MemAvailable:")) {
                    return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
                }
            }
        } catch (IOException _) {
            // not Linux: said by the answer below
        }
        return Long.MAX_VALUE;
    }

    /// @throws IllegalArgumentException if it is not what {@link Question} answers
    public static ModelMemory ofJson(String json) {
        try {
            return new ObjectMapper().readValue(json, ModelMemory.class);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("memory of a model: " + e.getOriginalMessage(), e);
        }
    }

    /// Asks an executor, which has the model on its disk.
    ///
    /// @param tokens of a sequence, prompt and answer
    /// @param longest tokens of the longest
    public record Question(EngineRecipe recipe, int tokens, int longest) implements Function<String, String> {

        /// @return as {@link #ofJson} reads it
        @Override
        public String call(String nothing) {
            try (Checkpoint checkpoint = Checkpoint.open(LocalEngineProvider.model(recipe))) {
                return new ObjectMapper()
                        .writeValueAsString(ModelMemory.of(checkpoint, tokens, longest, recipe.cacheBudgetBytes()));
            } catch (JsonProcessingException e) {
                throw new IllegalStateException("numbers can always be written", e);
            }
        }
    }
}
