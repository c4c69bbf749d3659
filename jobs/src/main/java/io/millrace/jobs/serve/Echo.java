package io.millrace.jobs.serve;

import io.millrace.engine.LocalEngine;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.ScoringRequest;
import io.millrace.engine.api.ScoringResult;
import io.millrace.engine.api.TokenIds;
import io.millrace.engine.api.TokenLogprob;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// A prompt that an answer begins with, and what its tokens' probabilities are.
///
/// @param scores of all tokens but the first, of which nothing is known; null if they were not asked for
record Echo(TokenIds prompt, @Nullable CompletableFuture<ScoringResult> scores) {

    /// @param logprobs how many likeliest tokens are told; -1 for none and not those of the prompt either
    static Echo of(String id, LocalEngine engine, TokenIds prompt, int logprobs) {
        boolean scored = logprobs >= 0 && prompt.size() > 1;
        return new Echo(
                prompt, scored ? engine.score(new ScoringRequest(id, prompt.head(1), prompt.from(1), logprobs)) : null);
    }

    void cancel() {
        if (scores != null) {
            scores.cancel(true);
        }
    }

    /// The prompt's tokens; the first has no probability.
    ///
    /// @throws ApiException if the engine failed
    List<Chosen> tokens() {
        List<Chosen> tokens = new ArrayList<>();
        if (!prompt.isEmpty()) {
            tokens.add(new Chosen(prompt.get(0), Double.NaN, List.of()));
        }
        if (scores == null) {
            return tokens;
        }
        switch (scores.join()) {
            case ScoringResult.Scored scored -> {
                for (int at = 0; at < scored.logprobs().size(); at++) {
                    List<Chosen> likeliest =
                            at < scored.told().size() ? chosen(scored.told().get(at)) : List.of();
                    tokens.add(new Chosen(prompt.get(at + 1), scored.logprobs().get(at), likeliest));
                }
            }
            case GenerationResult.Failed failed -> throw ApiException.of(failed.code(), failed.message());
        }
        return tokens;
    }

    private static List<Chosen> chosen(TokenLogprob told) {
        return told.top().stream()
                .map(likely -> new Chosen(likely.token(), likely.logprob(), List.of()))
                .toList();
    }
}
