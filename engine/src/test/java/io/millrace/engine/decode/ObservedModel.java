package io.millrace.engine.decode;

import io.millrace.engine.cache.SequenceCache;
import io.millrace.engine.model.Drafter;
import io.millrace.engine.model.LanguageModel;
import io.millrace.engine.model.LanguageModelConfig;
import io.millrace.engine.model.Step;
import io.millrace.engine.tensor.Floats;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A model that tells of each step before it runs it, and may have a drafter of another kind.
record ObservedModel(
        LanguageModel model,
        Consumer<Step> before,
        @Nullable Drafter drafter) implements LanguageModel {
    ObservedModel(LanguageModel model, Consumer<Step> before) {
        this(model, before, model.drafter());
    }

    @Override
    public LanguageModelConfig config() {
        return model.config();
    }

    @Override
    public SequenceCache newCache() {
        return model.newCache();
    }

    @Override
    public Floats forward(Step step) {
        before.accept(step);
        return model.forward(step);
    }

    @Override
    public Floats logits(Floats hidden, int[] rows) {
        return model.logits(hidden, rows);
    }

    @Override
    public double[] logSumExp(Floats logits, int rows) {
        return model.logSumExp(logits, rows);
    }

    @Override
    public void read(Floats source, int offset, float[] target, int count) {
        model.read(source, offset, target, count);
    }
}
