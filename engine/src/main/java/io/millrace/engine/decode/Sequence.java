package io.millrace.engine.decode;

import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.FinishReason;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.GenerationResult.Completed;
import io.millrace.engine.api.GenerationResult.Failed;
import io.millrace.engine.api.TokenIds;
import io.millrace.engine.cache.SequenceCache;
import io.millrace.engine.model.Step;
import io.millrace.engine.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// A request on its way: waiting, in prefill, in decode, done. After submission the batch thread alone
/// touches it.
final class Sequence {
    private final GenerationRequest request;
    private final CompletableFuture<GenerationResult> result = new CompletableFuture<>();
    private final CompletionText text;
    private final List<Integer> eosTokens;
    private final long cacheBytes;
    private final long submittedNanos = System.nanoTime();

    private @Nullable SequenceCache cache;
    private int @Nullable [] prompt;
    private int prefilled;
    private int[] generated = new int[16];
    private int count;
    private double logprobs;
    private @Nullable FinishReason finishReason;
    private int kept;
    private long admittedNanos;
    private long decodingNanos;

    /// @param cacheBytes reserved for the whole of it
    Sequence(GenerationRequest request, @Nullable Tokenizer tokenizer, List<Integer> eosTokens, long cacheBytes) {
        this.request = request;
        this.text = new CompletionText(tokenizer, request.sampling().stop());
        this.eosTokens = eosTokens;
        this.cacheBytes = cacheBytes;
    }

    CompletableFuture<GenerationResult> result() {
        return result;
    }

    GenerationRequest request() {
        return request;
    }

    long cacheBytes() {
        return cacheBytes;
    }

    void admit(SequenceCache newCache) {
        cache = newCache;
        prompt = request.prompt().toArray();
        admittedNanos = System.nanoTime();
    }

    boolean isDecoding() {
        return prefilled == request.prompt().size();
    }

    /// Adds up to `budget` tokens to the step. Returns the row whose logits choose the next token, or -1 if
    /// more of the prompt is to come.
    int addTo(Step step, int budget) {
        SequenceCache sequenceCache = Objects.requireNonNull(cache);
        if (isDecoding()) {
            return step.add(sequenceCache, generated, count - 1, 1).firstRow();
        }
        int[] tokens = Objects.requireNonNull(prompt);
        int chunk = Math.min(budget, tokens.length - prefilled);
        Step.Span span = step.add(sequenceCache, tokens, prefilled, chunk);
        prefilled += chunk;
        if (!isDecoding()) {
            return -1;
        }
        decodingNanos = System.nanoTime();
        return span.firstRow() + chunk - 1;
    }

    /// Chooses the next token. Returns whether the sequence has ended; it is then to be told so by {@link
    /// #complete}.
    ///
    /// @param logSumExp of the logits
    boolean accept(float[] logits, double logSumExp) {
        int token = Sampler.choose(logits, request.sampling(), count);
        if (count == generated.length) {
            generated = Arrays.copyOf(generated, 2 * count);
        }
        generated[count] = token;
        count++;
        logprobs += logits[token] - logSumExp;
        if (eosTokens.contains(token) && !request.sampling().ignoreEos()) {
            return ended(FinishReason.STOP, count - 1);
        }
        if (text.accept(token)) {
            return ended(FinishReason.STOP, count);
        }
        if (count == request.sampling().maxTokens()) {
            return ended(FinishReason.LENGTH, count);
        }
        return false;
    }

    private boolean ended(FinishReason reason, int keptTokens) {
        finishReason = reason;
        kept = keptTokens;
        return true;
    }

    /// Hands out the result of a sequence that has ended.
    void complete() {
        text.finish();
        long now = System.nanoTime();
        result.complete(new Completed(
                request.id(),
                TokenIds.of(Arrays.copyOf(generated, kept)),
                text.toString(),
                Objects.requireNonNull(finishReason),
                logprobs / count,
                new GenerationResult.Usage(request.prompt().size(), 0, count),
                new GenerationResult.Timing(
                        millis(submittedNanos, admittedNanos),
                        millis(admittedNanos, decodingNanos),
                        millis(decodingNanos, now))));
    }

    void fail(ErrorCode code, String message) {
        result.complete(new Failed(request.id(), code, message));
    }

    private static double millis(long from, long to) {
        return (to - from) / 1e6;
    }
}
