package io.millrace.engine.model;

import io.millrace.engine.api.ExpertLoad;
import io.millrace.engine.cache.SequenceCache;
import io.millrace.engine.tensor.Floats;
import org.jspecify.annotations.Nullable;

/// What the running batch asks of a model: tokens in, logits out. Holds no sequence; one thread at a time. A
/// row's results do not depend on which others are in its step.
public interface LanguageModel {
    LanguageModelConfig config();

    /// An empty sequence.
    SequenceCache newCache();

    /// Runs the layers over a step and extends its sequences.
    ///
    /// @return hidden rows, whatever the model makes of them, good until the next call
    Floats forward(Step step);

    /// Next-token logits of some rows of a forward pass.
    ///
    /// @param hidden as returned by {@link #forward}
    /// @param rows which rows
    /// @return [rows.length, V], good until the next call
    Floats logits(Floats hidden, int[] rows);

    /// The logarithm of the summed exponentials of each row of logits, so that `logit - it` is a
    /// log-probability.
    double[] logSumExp(Floats logits, int rows);

    /// Guesses tokens ahead; null if the checkpoint has nothing for it.
    default @Nullable Drafter drafter() {
        return null;
    }

    /// Which experts the tokens of all steps went to. May be asked by any thread.
    default ExpertLoad expertLoad() {
        return ExpertLoad.NONE;
    }

    /// Copies logits or hidden rows to the host.
    void read(Floats source, int offset, float[] target, int count);
}
