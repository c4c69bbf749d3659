package io.millrace.engine.decode;

import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.FinishReason;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.GenerationResult.Completed;
import io.millrace.engine.api.GenerationResult.Failed;
import io.millrace.engine.api.TokenIds;
import io.millrace.engine.api.TokenListener;
import io.millrace.engine.api.TokenLogprob;
import io.millrace.engine.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// A prompt to complete.
final class Generation extends Sequence {
    private final GenerationRequest request;
    private final CompletableFuture<GenerationResult> result;
    private final @Nullable Tokenizer tokenizer;
    private final List<Integer> eosTokens;
    private final CompletionText text;
    private final @Nullable TokenListener listener;

    private final List<TokenLogprob> told = new ArrayList<>();

    private double logprobs;
    private @Nullable FinishReason finishReason;
    private int kept;
    private Speculation.@Nullable Seen seen;

    Generation(
            GenerationRequest request,
            CompletableFuture<GenerationResult> result,
            @Nullable Tokenizer tokenizer,
            List<Integer> eosTokens,
            @Nullable TokenListener listener,
            long cacheBytes,
            long submittedNanos) {
        super(request.prompt().toArray(), request.prompt().size(), cacheBytes, submittedNanos);
        this.request = request;
        this.result = result;
        this.tokenizer = tokenizer;
        this.eosTokens = eosTokens;
        this.listener = listener;
        this.text = new CompletionText(tokenizer, request.sampling().stop());
    }

    private int count() {
        return known() - promptSize();
    }

    @Override
    boolean accept(int position, float[] logits, double logSumExp) {
        if (hasEnded() || !isCertain(position)) {
            return false;
        }
        beginDecoding();
        int token = Sampler.choose(logits, request.sampling(), count());
        append(token);
        logprobs += logits[token] - logSumExp;
        if (eosTokens.contains(token) && !request.sampling().ignoreEos()) {
            end(FinishReason.STOP, count() - 1);
            return true;
        }
        if (listener != null) {
            listener.chosen(count() - 1, token, logits, logSumExp);
        }
        if (request.sampling().logprobs() >= 0) {
            told.add(told(token, logits, logSumExp));
        }
        if (text.accept(token)) {
            end(FinishReason.STOP, count());
        } else if (count() == maxTokens()) {
            end(FinishReason.LENGTH, count());
        }
        return true;
    }

    private TokenLogprob told(int token, float[] logits, double logSumExp) {
        List<TokenLogprob.Likely> top = new ArrayList<>();
        if (request.sampling().logprobs() > 0) {
            for (int likely : Sampler.likeliest(logits, request.sampling().logprobs())) {
                top.add(new TokenLogprob.Likely(likely, spelled(likely), logits[likely] - logSumExp));
            }
        }
        return new TokenLogprob(token, spelled(token), logits[token] - logSumExp, top);
    }

    private String spelled(int token) {
        return tokenizer == null ? "" : tokenizer.decode(new int[] {token});
    }

    private void end(FinishReason reason, int keptTokens) {
        finishReason = reason;
        kept = keptTokens;
    }

    @Override
    boolean hasEnded() {
        return finishReason != null;
    }

    /// What the prediction block has seen of it; null for nothing.
    Speculation.@Nullable Seen seen() {
        return seen;
    }

    void seen(Speculation.Seen nowSeen) {
        seen = nowSeen;
    }

    /// Guesses the token behind the last one as it would be chosen from these logits, unless it is not
    /// wanted.
    void guessFrom(float[] logits) {
        if (count() + 1 < maxTokens()) {
            guess(Sampler.choose(logits, request.sampling(), count()));
        }
    }

    @Override
    void complete() {
        text.finish();
        int[] generated = Arrays.copyOfRange(tokens(), promptSize(), promptSize() + kept);
        result.complete(new Completed(
                request.id(),
                TokenIds.of(generated),
                text.toString(),
                Objects.requireNonNull(finishReason),
                logprobs / count(),
                usage(count()),
                timing(),
                told));
    }

    @Override
    void fail(ErrorCode code, String message) {
        result.complete(new Failed(request.id(), code, message));
    }

    @Override
    boolean isCancelled() {
        return result.isCancelled();
    }

    @Override
    Generation again() {
        return new Generation(request, result, tokenizer, eosTokens, listener, cacheBytes(), submittedNanos());
    }

    @Override
    int maxTokens() {
        return request.sampling().maxTokens();
    }
}
