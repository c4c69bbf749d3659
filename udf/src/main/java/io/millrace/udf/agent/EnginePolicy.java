package io.millrace.udf.agent;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.ErrorKind;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.SamplingParams;
import io.millrace.engine.chat.ToolCall;
import io.millrace.udf.EncodedPrompt;
import io.millrace.udf.PromptEngine;
import io.millrace.udf.PromptRequest;
import io.millrace.udf.Reading;
import io.millrace.udf.Thinking;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/// The executor's engine speaks for the agent, in its running batch, among whatever else is under way
/// there.
///
/// @param sampling of the row; each turn's seed follows from its and the turn's number
/// @param waiting counts those that wait for the engine now
record EnginePolicy(PromptEngine engine, Thinking thinking, SamplingParams sampling, AtomicInteger waiting)
        implements Policy {
    /// Of an odd number, so that every turn has another seed.
    private static final long SEED_STEP = 0x9E3779B97F4A7C15L;

    private static final int MAX_ATTEMPTS = 2;

    @Override
    public Turn next(Conversation conversation, int step) throws InterruptedException {
        String id = conversation.start().requestId() + "/" + step;
        PromptRequest request;
        try {
            EncodedPrompt prompt = engine.messages(conversation.shown(), thinking);
            request = new PromptRequest(id, prompt, sampling.withSeed(sampling.seed() + step * SEED_STEP), reading());
        } catch (EngineException e) {
            throw e.code().kind() == ErrorKind.BAD_INPUT
                    ? new RolloutException(e.code().name(), String.valueOf(e.getMessage()))
                    : e;
        }
        GenerationResult result = ask(request);
        int attempts = 1;
        while (result instanceof GenerationResult.Failed failed
                && failed.code().isRetryable()
                && failed.code().kind() != ErrorKind.DEVICE
                && attempts < MAX_ATTEMPTS) {
            result = ask(request);
            attempts++;
        }
        return switch (result) {
            case GenerationResult.Completed completed -> turn(completed, step);
            case GenerationResult.Failed failed -> throw failure(failed);
        };
    }

    private GenerationResult ask(PromptRequest request) throws InterruptedException {
        CompletableFuture<GenerationResult> future = engine.submit(request);
        waiting.incrementAndGet();
        try {
            return future.get();
        } catch (InterruptedException e) {
            future.cancel(true);
            throw e;
        } catch (ExecutionException e) {
            throw new EngineException(ErrorCode.INTERNAL, "engine: " + e.getCause(), e);
        } finally {
            waiting.decrementAndGet();
        }
    }

    private Reading reading() {
        return Reading.of(thinking);
    }

    /// Calls that could not be read are none, which the agent is told of.
    private Turn turn(GenerationResult.Completed completed, int step) {
        PromptEngine.Answer answer = engine.answer(completed, reading());
        List<Turn.ToolCall> calls = new ArrayList<>();
        for (ToolCall call : answer.calls()) {
            String id = call.id().isEmpty() ? "call_" + step + "_" + calls.size() : call.id();
            calls.add(new Turn.ToolCall(id, call.name(), call.arguments()));
        }
        return new Turn(
                answer.text(),
                answer.reasoning(),
                calls,
                completed.finishReason().wireName(),
                new Turn.Usage(
                        completed.usage().promptTokens(),
                        completed.usage().cachedTokens(),
                        completed.usage().completionTokens()));
    }

    private static RuntimeException failure(GenerationResult.Failed failed) {
        if (failed.code() == ErrorCode.CONTEXT_EXCEEDED) {
            return new PolicyEndException(ExitStatus.CONTEXT_EXCEEDED, failed.message());
        }
        if (failed.code().kind() == ErrorKind.DEVICE) {
            return new EngineException(failed.code(), failed.message());
        }
        return new RolloutException(
                failed.code().name(), failed.message(), failed.code().isRetryable(), null);
    }
}
