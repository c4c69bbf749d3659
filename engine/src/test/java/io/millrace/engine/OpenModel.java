package io.millrace.engine;

import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.checkpoint.Checkpoint;
import io.millrace.engine.kernel.KernelProvider;
import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.model.LanguageModel;
import java.nio.file.Path;

/// A model without an engine around it.
public final class OpenModel implements AutoCloseable {
    private final Checkpoint checkpoint;
    private final Kernels kernels;
    private final LanguageModel model;

    public OpenModel(Path dir, String ring) {
        checkpoint = Checkpoint.open(dir);
        kernels = KernelProvider.open(ring, 2);
        model = Architectures.bind(checkpoint, kernels, CacheRounding.AUTO).get();
    }

    public LanguageModel model() {
        return model;
    }

    @Override
    public void close() {
        kernels.close();
        checkpoint.close();
    }
}
