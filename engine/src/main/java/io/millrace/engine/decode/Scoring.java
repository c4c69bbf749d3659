package io.millrace.engine.decode;

import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.GenerationResult.Failed;
import io.millrace.engine.api.ScoringRequest;
import io.millrace.engine.api.ScoringResult;
import io.millrace.engine.api.ScoringResult.Scored;
import io.millrace.engine.api.TokenLogprob;
import io.millrace.engine.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// A continuation to score: all its tokens are fed but the last, which is only predicted.
final class Scoring extends Sequence {
    private final ScoringRequest request;
    private final CompletableFuture<ScoringResult> result;
    private final @Nullable Tokenizer tokenizer;
    private final List<Double> logprobs = new ArrayList<>();
    private final List<TokenLogprob> told = new ArrayList<>();
    private double sum;
    private boolean greedy = true;

    Scoring(
            ScoringRequest request,
            CompletableFuture<ScoringResult> result,
            @Nullable Tokenizer tokenizer,
            long cacheBytes,
            long submittedNanos) {
        super(fixed(request), request.prompt().size(), cacheBytes, submittedNanos);
        this.request = request;
        this.result = result;
        this.tokenizer = tokenizer;
    }

    private static int[] fixed(ScoringRequest request) {
        int last = Math.max(0, request.continuation().size() - 1);
        return IntStream.concat(
                        IntStream.of(request.prompt().toArray()),
                        IntStream.of(request.continuation().head(last).toArray()))
                .toArray();
    }

    @Override
    boolean accept(int position, float[] logits, double logSumExp) {
        beginDecoding();
        int token = request.continuation().get(logprobs.size());
        double logprob = logits[token] - logSumExp;
        logprobs.add(logprob);
        sum += logprob;
        if (request.top() > 0) {
            List<TokenLogprob.Likely> top = new ArrayList<>();
            for (int likely : Sampler.likeliest(logits, request.top())) {
                top.add(new TokenLogprob.Likely(likely, spelled(likely), logits[likely] - logSumExp));
            }
            told.add(new TokenLogprob(token, spelled(token), logprob, top));
        }
        greedy &= Sampler.argMax(logits) == token;
        return true;
    }

    private String spelled(int token) {
        return tokenizer == null ? "" : tokenizer.decode(new int[] {token});
    }

    @Override
    boolean hasEnded() {
        return logprobs.size() == request.continuation().size();
    }

    @Override
    void complete() {
        result.complete(new Scored(request.id(), sum, logprobs, greedy, told, usage(logprobs.size()), timing()));
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
    Scoring again() {
        return new Scoring(request, result, tokenizer, cacheBytes(), submittedNanos());
    }

    @Override
    int maxTokens() {
        return 0;
    }
}
