package io.millrace.udf;

import io.millrace.engine.api.EngineStats;
import io.millrace.engine.api.ExpertLoad;
import java.io.Serializable;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What one executor has done since it started; sent to the driver every second, and when its last task
/// ends.
///
/// @param executorId Spark's name of the executor
/// @param device kind of device that computes; null until an engine is open
/// @param cards addresses of the cards it computes on; empty if on none
/// @param rowsOk rows yielded with status ok
/// @param errors rows yielded with status error, by error code
/// @param promptTokens prompt tokens processed, shared ones included
/// @param cachedTokens of these, how many a shared prefix saved
/// @param completionTokens tokens generated or scored
/// @param steps forward passes
/// @param stepTokens tokens that went through them
/// @param stepCapacity tokens that would have fitted into them
/// @param running sequences in the running batch now
/// @param waiting requests not yet admitted
/// @param cacheBytes bytes of cache reserved for running sequences
/// @param prefixBytes bytes of cache kept for prompts that begin alike
/// @param experts how evenly the experts are loaded; null where that is not counted
/// @param slowest the rows that were in the running batch longest, the slowest first
public record ProgressReport(
        String executorId,
        @Nullable String device,
        List<String> cards,
        long rowsOk,
        Map<String, Long> errors,
        long promptTokens,
        long cachedTokens,
        long completionTokens,
        long steps,
        long stepTokens,
        long stepCapacity,
        int running,
        int waiting,
        long cacheBytes,
        long prefixBytes,
        @Nullable ExpertBalance experts,
        List<FinishedRow> slowest)
        implements Serializable {

    public ProgressReport {
        cards = List.copyOf(cards);
        errors = Collections.unmodifiableSortedMap(new TreeMap<>(errors));
        slowest = List.copyOf(slowest);
    }

    /// How evenly the experts of the layers are loaded: of each layer, the mean tokens of an expert over
    /// those of the one with the most, in (0, 1].
    ///
    /// @param mean over the layers
    /// @param leastEvenLayer the layer where it is smallest
    /// @param least its value there
    public record ExpertBalance(double mean, int leastEvenLayer, double least) implements Serializable {

        static @Nullable ExpertBalance of(ExpertLoad load) {
            if (load.layers().isEmpty()) {
                return null;
            }
            ExpertLoad.Layer layer = load.leastEven();
            return new ExpertBalance(load.balance(), layer.layer(), layer.balance());
        }
    }

    static ProgressReport of(
            String executorId,
            @Nullable String device,
            List<String> cards,
            FinishedRows rows,
            EngineStats engine,
            ExpertLoad experts) {
        return new ProgressReport(
                executorId,
                device,
                cards,
                rows.ok(),
                rows.errors(),
                engine.promptTokens(),
                engine.cachedTokens(),
                engine.completionTokens(),
                engine.steps(),
                engine.stepTokens(),
                engine.stepCapacity(),
                engine.running(),
                engine.waiting(),
                engine.cacheBytes(),
                engine.prefixBytes(),
                ExpertBalance.of(experts),
                rows.slowest());
    }

    /// Rows yielded with status error.
    public long rowsError() {
        return errors.values().stream().mapToLong(Long::longValue).sum();
    }

    /// How full the steps were, in [0, 1]; NaN before the first, or where that is not known.
    public double occupancy() {
        return (double) stepTokens / stepCapacity;
    }

    /// Nothing is under way.
    boolean isAtRest() {
        return running == 0 && waiting == 0;
    }

    /// The last report of an executor that is gone.
    ProgressReport gone() {
        return new ProgressReport(
                executorId,
                device,
                cards,
                rowsOk,
                errors,
                promptTokens,
                cachedTokens,
                completionTokens,
                steps,
                stepTokens,
                stepCapacity,
                0,
                0,
                0,
                0,
                experts,
                slowest);
    }
}
