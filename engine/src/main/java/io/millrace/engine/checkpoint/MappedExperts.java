package io.millrace.engine.checkpoint;

import io.millrace.engine.model.Weights;
import io.millrace.engine.tensor.Swiglu;
import java.util.List;

/// Experts that are all mapped.
record MappedExperts(List<Swiglu> experts) implements Weights.ExpertStore {
    MappedExperts {
        experts = List.copyOf(experts);
    }

    @Override
    public int size() {
        return experts.size();
    }

    @Override
    public Swiglu expert(int index) {
        return experts.get(index);
    }
}
