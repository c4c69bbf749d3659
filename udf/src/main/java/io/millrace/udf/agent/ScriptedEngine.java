package io.millrace.udf.agent;

import io.millrace.engine.api.EngineStats;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.ModelSummary;
import io.millrace.engine.api.ScoringRequest;
import io.millrace.engine.api.ScoringResult;
import io.millrace.engine.api.TokenIds;
import io.millrace.udf.EncodedPrompt;
import io.millrace.udf.EngineIdentity;
import io.millrace.udf.PromptEngine;
import io.millrace.udf.PromptRequest;
import io.millrace.udf.Thinking;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// Stands where an engine is, so that a row says truly what answered it: a script. It has no tokens,
/// and answers nothing but rollouts.
record ScriptedEngine(Script script) implements PromptEngine {
    private static final String NAME = "scripted";
    private static final String REFUSAL = "a script answers rollouts only";

    @Override
    public ModelSummary model() {
        return new ModelSummary(NAME, script.sha256(), "none", 0, 0, Integer.MAX_VALUE, 0, "none");
    }

    @Override
    public EngineIdentity identity() {
        return new EngineIdentity(NAME, revision(), script.sha256(), script.sha256(), "none", "none", script.sha256());
    }

    @Override
    public EncodedPrompt chat(@Nullable String system, String user, Thinking thinking) {
        return new EncodedPrompt.Text(system == null ? user : system + "\n" + user);
    }

    @Override
    public TokenIds encodeChat(@Nullable String system, String user, Thinking thinking) {
        return TokenIds.EMPTY;
    }

    @Override
    public TokenIds encodeText(String text) {
        return TokenIds.EMPTY;
    }

    @Override
    public String decode(TokenIds tokens) {
        return "";
    }

    @Override
    public CompletableFuture<GenerationResult> submit(GenerationRequest request) {
        return refused(request.id());
    }

    @Override
    public CompletableFuture<GenerationResult> submit(PromptRequest request) {
        return refused(request.id());
    }

    private static CompletableFuture<GenerationResult> refused(String id) {
        return CompletableFuture.completedFuture(new GenerationResult.Failed(id, ErrorCode.INVALID_REQUEST, REFUSAL));
    }

    @Override
    public CompletableFuture<ScoringResult> score(ScoringRequest request) {
        return CompletableFuture.completedFuture(
                new GenerationResult.Failed(request.id(), ErrorCode.INVALID_REQUEST, REFUSAL));
    }

    @Override
    public Answer answer(GenerationResult.Completed completed, Thinking thinking) {
        return new Answer(completed.text(), null, 0);
    }

    @Override
    public EngineStats stats() {
        return EngineStats.NONE;
    }

    @Override
    public String revision() {
        return "local";
    }

    @Override
    public String device() {
        return NAME;
    }

    @Override
    public void close() {
        // nothing is open
    }
}
