package io.millrace.engine.decode;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.FinishReason;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.GenerationResult.Completed;
import io.millrace.engine.api.GenerationResult.Failed;
import io.millrace.engine.api.OutputForm;
import io.millrace.engine.api.TokenIds;
import io.millrace.engine.api.TokenListener;
import io.millrace.engine.api.TokenLogprob;
import io.millrace.engine.json.AnswerForm;
import io.millrace.engine.json.AnswerForms;
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
    private final @Nullable AnswerForms forms;
    private final @Nullable AnswerForm form;

    private final List<TokenLogprob> told = new ArrayList<>();

    private double logprobs;
    private @Nullable FinishReason finishReason;
    private int kept;
    private Speculation.@Nullable Seen seen;

    /// @param forms for answers of a form; null if the model has no tokenizer
    /// @throws EngineException INVALID_REQUEST if answers cannot be of the form that is asked for
    Generation(
            GenerationRequest request,
            CompletableFuture<GenerationResult> result,
            @Nullable Tokenizer tokenizer,
            List<Integer> eosTokens,
            @Nullable AnswerForms forms,
            @Nullable TokenListener listener,
            long cacheBytes,
            long submittedNanos) {
        super(request.prompt().toArray(), request.prompt().size(), cacheBytes, submittedNanos);
        this.request = request;
        this.result = result;
        this.tokenizer = tokenizer;
        this.eosTokens = eosTokens;
        this.listener = listener;
        this.forms = forms;
        this.form = form(request.sampling().form(), forms);
        this.text = new CompletionText(tokenizer, request.sampling().stop());
    }

    private static @Nullable AnswerForm form(@Nullable OutputForm asked, @Nullable AnswerForms forms) {
        if (asked != null && forms == null) {
            throw new EngineException(
                    ErrorCode.INVALID_REQUEST, "schema: expected a model with a tokenizer, got one without");
        }
        return asked == null || forms == null ? null : forms.begin(asked);
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
        int token = choose(logits);
        append(token);
        if (form != null) {
            form.accept(token);
        }
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

    private int choose(float[] logits) {
        return Sampler.choose(form == null ? logits : form.mask(logits), request.sampling(), count());
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
            guess(choose(logits));
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
        return new Generation(request, result, tokenizer, eosTokens, forms, listener, cacheBytes(), submittedNanos());
    }

    @Override
    int maxTokens() {
        return request.sampling().maxTokens();
    }
}
