package io.millrace.udf;

import io.millrace.engine.api.EngineStats;
import io.millrace.engine.api.ExpertLoad;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.ModelSummary;
import io.millrace.engine.api.ScoringRequest;
import io.millrace.engine.api.ScoringResult;
import io.millrace.engine.api.TokenIds;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// An engine behind something that is added to it. Whatever is asked comes by {@link #submit(GenerationRequest)}
/// or {@link #score}, so that a subclass has one place each to add to.
public abstract class ForwardingEngine implements PromptEngine {
    private final PromptEngine engine;

    protected ForwardingEngine(PromptEngine engine) {
        this.engine = engine;
    }

    @Override
    public ModelSummary model() {
        return engine.model();
    }

    @Override
    public CompletableFuture<GenerationResult> submit(GenerationRequest request) {
        return engine.submit(request);
    }

    @Override
    public CompletableFuture<ScoringResult> score(ScoringRequest request) {
        return engine.score(request);
    }

    @Override
    public EngineStats stats() {
        return engine.stats();
    }

    @Override
    public ExpertLoad expertLoad() {
        return engine.expertLoad();
    }

    @Override
    public TokenIds encodeChat(@Nullable String system, String user, Thinking thinking) {
        return engine.encodeChat(system, user, thinking);
    }

    @Override
    public TokenIds encodeText(String text) {
        return engine.encodeText(text);
    }

    @Override
    public String decode(TokenIds tokens) {
        return engine.decode(tokens);
    }

    @Override
    public Answer answer(GenerationResult.Completed completed, Thinking thinking) {
        return engine.answer(completed, thinking);
    }

    @Override
    public String revision() {
        return engine.revision();
    }

    @Override
    public EngineIdentity identity() {
        return engine.identity();
    }

    @Override
    public String device() {
        return engine.device();
    }

    @Override
    public void close() {
        engine.close();
    }
}
