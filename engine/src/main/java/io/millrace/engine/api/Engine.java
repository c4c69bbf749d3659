package io.millrace.engine.api;

import java.util.concurrent.CompletableFuture;

/// A loaded model with one running batch. Thread-safe: any number of threads submit, their requests share
/// each step.
public interface Engine extends AutoCloseable {
    ModelSummary model();

    /// Queues a request. The future never completes exceptionally: a failure is a {@link
    /// GenerationResult.Failed}.
    CompletableFuture<GenerationResult> submit(GenerationRequest request);

    /// Queues a continuation to score, in the same batch. The future never completes exceptionally: a
    /// failure is a {@link GenerationResult.Failed}. Requests with the same prompt, such as the choices of
    /// a question, compute it once.
    CompletableFuture<ScoringResult> score(ScoringRequest request);

    EngineStats stats();

    /// Which experts the tokens went to, since the engine was opened.
    default ExpertLoad expertLoad() {
        return ExpertLoad.NONE;
    }

    /// Ends the running batch; unfinished requests fail with {@link ErrorCode#ENGINE_CLOSED}. Idempotent.
    @Override
    void close();
}
