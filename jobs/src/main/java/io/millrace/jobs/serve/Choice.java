package io.millrace.jobs.serve;

import io.millrace.engine.LocalEngine;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.TokenListener;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;

/// One choice of a request while the engine writes it. Told of tokens by the batch's thread, read by the
/// request's.
final class Choice implements TokenListener {
    private final int index;
    private final int logprobs;
    private final BlockingQueue<Choice> news;
    private final List<Chosen> tokens = new ArrayList<>();
    private final CompletableFuture<GenerationResult> result;

    private Choice(int index, LocalEngine engine, String id, Wish wish, BlockingQueue<Choice> news) {
        this.index = index;
        this.logprobs = wish.logprobs();
        this.news = news;
        GenerationRequest request = new GenerationRequest(id + "-" + index, wish.prompt(index), wish.sampling(index));
        this.result = wish.stream() || logprobs >= 0 ? engine.submit(request, this) : engine.submit(request);
    }

    /// Hands a choice to the engine.
    ///
    /// @param news gets this choice whenever there is more of it, and once more at its end
    static Choice submit(int index, LocalEngine engine, String id, Wish wish, BlockingQueue<Choice> news) {
        Choice choice = new Choice(index, engine, id, wish, news);
        CompletableFuture<GenerationResult> _ = choice.result.whenComplete((_, _) -> news.add(choice));
        return choice;
    }

    @Override
    public void chosen(int at, int token, float[] logits, double logSumExp) {
        synchronized (tokens) {
            // a request that was begun anew writes the same again
            if (at == tokens.size()) {
                tokens.add(Chosen.of(token, logits, logSumExp, Math.max(0, logprobs)));
            }
        }
        news.add(this);
    }

    int index() {
        return index;
    }

    /// The tokens from a place on.
    List<Chosen> tokensFrom(int from) {
        synchronized (tokens) {
            return List.copyOf(tokens.subList(Math.min(from, tokens.size()), tokens.size()));
        }
    }

    boolean isDone() {
        return result.isDone();
    }

    /// Waits for the end.
    ///
    /// @throws ApiException if the engine failed
    GenerationResult.Completed completed() {
        return switch (result.join()) {
            case GenerationResult.Completed completed -> completed;
            case GenerationResult.Failed failed -> throw ApiException.of(failed.code(), failed.message());
        };
    }

    void cancel() {
        result.cancel(true);
    }
}
