package io.millrace.jobs.bench;

import io.millrace.engine.api.EngineStats;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.ModelSummary;
import io.millrace.engine.api.ScoringRequest;
import io.millrace.engine.api.ScoringResult;
import io.millrace.engine.api.TokenIds;
import io.millrace.udf.EngineIdentity;
import io.millrace.udf.EngineProvider;
import io.millrace.udf.EngineRecipe;
import io.millrace.udf.LocalEngineProvider;
import io.millrace.udf.PromptEngine;
import io.millrace.udf.Thinking;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

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

    private record Recording(PromptEngine engine) implements PromptEngine {
        @Override
        public CompletableFuture<GenerationResult> submit(GenerationRequest request) {
            REQUESTS.add(request);
            return engine.submit(request);
        }

        @Override
        public CompletableFuture<ScoringResult> score(ScoringRequest request) {
            return engine.score(request);
        }

        @Override
        public ModelSummary model() {
            return engine.model();
        }

        @Override
        public EngineStats stats() {
            return engine.stats();
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
}
