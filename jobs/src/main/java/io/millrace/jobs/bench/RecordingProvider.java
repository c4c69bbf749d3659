package io.millrace.jobs.bench;

import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.udf.EngineProvider;
import io.millrace.udf.EngineRecipe;
import io.millrace.udf.ForwardingEngine;
import io.millrace.udf.LocalEngineProvider;
import io.millrace.udf.PromptEngine;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;

/// The local engine, which also keeps what it was asked, so that the same requests can be given to an
/// engine without Spark around it. Static, since whoever opens an engine in an executor makes its own
/// provider; a local master's executor is this process.
public final class RecordingProvider implements EngineProvider {
    static final String KIND = "recording";

    private static final ConcurrentLinkedQueue<GenerationRequest> REQUESTS = new ConcurrentLinkedQueue<>();

    /// What was asked since the last time.
    static List<GenerationRequest> takeRequests() {
        List<GenerationRequest> requests = List.copyOf(REQUESTS);
        REQUESTS.clear();
        return requests;
    }

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public PromptEngine open(EngineRecipe recipe) {
        return new Recording(new LocalEngineProvider().open(recipe));
    }

    private static final class Recording extends ForwardingEngine {
        Recording(PromptEngine engine) {
            super(engine);
        }

        @Override
        public CompletableFuture<GenerationResult> submit(GenerationRequest request) {
            REQUESTS.add(request);
            return super.submit(request);
        }
    }
}
