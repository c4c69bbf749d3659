package io.millrace.udf;

import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// An engine that is bound to cards, and fails as a card does: from one request on, every request fails.
final class CardEngine extends ForwardingEngine {
    private static final Executor AGAIN = CompletableFuture.delayedExecutor(50, TimeUnit.MILLISECONDS);

    private final List<String> cards;
    private final int failsAt;
    private final Executor slowly;
    private final Path gate;
    private final AtomicInteger requests = new AtomicInteger();

    /// @param failsAt the request from which on the cards fail; 0 for never
    /// @param millis so long an answer takes at least
    /// @param gate a file or folder without which no answer is given
    CardEngine(PromptEngine engine, List<String> cards, int failsAt, int millis, Path gate) {
        super(engine);
        this.cards = cards;
        this.failsAt = failsAt;
        slowly = CompletableFuture.delayedExecutor(millis, TimeUnit.MILLISECONDS);
        this.gate = gate;
    }

    @Override
    public CompletableFuture<GenerationResult> submit(GenerationRequest request) {
        if (failsAt > 0 && requests.incrementAndGet() >= failsAt) {
            return CompletableFuture.completedFuture(new GenerationResult.Failed(
                    request.id(),
                    ErrorCode.DEVICE_FAILED,
                    "aclrtSynchronizeStream on cards " + cards + ": error 507053"));
        }
        return super.submit(request).thenComposeAsync(this::throughGate, slowly);
    }

    private CompletableFuture<GenerationResult> throughGate(GenerationResult result) {
        if (Files.exists(gate)) {
            return CompletableFuture.completedFuture(result);
        }
        return CompletableFuture.completedFuture(result).thenComposeAsync(this::throughGate, AGAIN);
    }

    @Override
    public String device() {
        return "npu " + String.join("+", cards);
    }
}
