package io.millrace.udf;

import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

/// Opens the model in the executor, and loses its device once: the twentieth request of an engine fails,
/// and with it its task.
public final class FaultyEngineProvider implements EngineProvider {
    public static final String KIND = "faulty";
    private static final int FAILS = 20;
    private static final AtomicInteger FAULTS = new AtomicInteger();

    @Override
    public String kind() {
        return KIND;
    }

    /// How many requests of this process have failed.
    public static int faults() {
        return FAULTS.get();
    }

    @Override
    public PromptEngine open(EngineRecipe recipe) {
        AtomicInteger requests = new AtomicInteger();
        return new ForwardingEngine(new LocalEngineProvider().open(recipe)) {
            @Override
            public CompletableFuture<GenerationResult> submit(GenerationRequest request) {
                if (requests.incrementAndGet() != FAILS) {
                    return super.submit(request);
                }
                FAULTS.incrementAndGet();
                return CompletableFuture.completedFuture(new GenerationResult.Failed(
                        request.id(), ErrorCode.DEVICE_FAILED, "device lost as asked"));
            }
        };
    }
}
