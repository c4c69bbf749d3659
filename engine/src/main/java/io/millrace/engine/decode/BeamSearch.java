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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// A prompt to complete by the likeliest text that beam search finds.
///
/// The prompt is computed once. Behind it stand as many hypotheses as there are beams, each with a fork of
/// the cache, and each step feeds one token of every one. Of all their continuations the 2 x beams
/// likeliest are looked at: those that end are kept as finished, the first others become the next
/// hypotheses. The search is over when as many have finished as there are beams and no hypothesis, as it
/// stands, beats the best of them; or at maxTokens. Equal scores are ordered by hypothesis, then by token
/// id: nothing but the logits decides.
final class BeamSearch extends Sequence {
    private final GenerationRequest request;
    private final CompletableFuture<GenerationResult> result;
    private final @Nullable Tokenizer tokenizer;
    private final List<Integer> eosTokens;
    private final int beams;

    // of one length; none before the prompt's end
    private List<Hypothesis> hypotheses = List.of();
    private final List<Candidate> candidates = new ArrayList<>();
    private int accepted;
    private int finished;
    private @Nullable Finished best;
    private boolean over;

    /// @param tokens chosen so far, of which the last is not fed yet
    /// @param logprob sum of the tokens' logarithmic probabilities
    private record Hypothesis(SequenceCache cache, TokenIds tokens, double logprob) {}

    /// A continuation.
    ///
    /// @param parent hypothesis that it continues
    private record Candidate(int parent, int token, double logprob) {
        static final Comparator<Candidate> LIKELIEST_FIRST = Comparator.comparingDouble(Candidate::logprob)
                .reversed()
                .thenComparingInt(Candidate::parent)
                .thenComparingInt(Candidate::token);
    }

    /// @param kept how many of the tokens belong to the completion
    private record Finished(TokenIds tokens, int kept, FinishReason reason, double logprob, double score) {}

    BeamSearch(
            GenerationRequest request,
            CompletableFuture<GenerationResult> result,
            @Nullable Tokenizer tokenizer,
            List<Integer> eosTokens,
            long cacheBytes,
            long submittedNanos) {
        super(request.prompt().toArray(), request.prompt().size(), cacheBytes, submittedNanos);
        this.request = request;
        this.result = result;
        this.tokenizer = tokenizer;
        this.eosTokens = eosTokens;
        this.beams = request.sampling().beams();
    }

    @Override
    int width() {
        return beams;
    }

    @Override
    boolean isDecoding() {
        return !hypotheses.isEmpty();
    }

    @Override
    List<Step.Span> addTo(Step step, int room, int stop) {
        if (hypotheses.isEmpty()) {
            return super.addTo(step, room, stop);
        }
        List<Step.Span> spans = new ArrayList<>();
        for (Hypothesis hypothesis : hypotheses) {
            spans.add(step.add(
                    hypothesis.cache(),
                    hypothesis.tokens().toArray(),
                    hypothesis.tokens().size() - 1,
                    1));
        }
        return spans;
    }

    /// Takes the logits behind the prompt, then those behind each hypothesis in turn.
    @Override
    boolean accept(int position, float[] logits, double logSumExp) {
        beginDecoding();
        double before = hypotheses.isEmpty() ? 0 : hypotheses.get(accepted).logprob();
        for (int token : Sampler.likeliest(logits, 2 * beams)) {
            candidates.add(new Candidate(accepted, token, before + logits[token] - logSumExp));
        }
        accepted++;
        if (accepted >= hypotheses.size()) {
            choose();
        }
        return true;
    }

    private void choose() {
        candidates.sort(Candidate.LIKELIEST_FIRST);
        List<Candidate> next = new ArrayList<>();
        for (Candidate candidate : candidates.subList(0, Math.min(2 * beams, candidates.size()))) {
            if (eosTokens.contains(candidate.token()) && !request.sampling().ignoreEos()) {
                finish(candidate, FinishReason.STOP);
            } else if (next.size() < beams) {
                next.add(candidate);
            }
        }
        int length = count() + 1;
        if (length == maxTokens()) {
            next.forEach(candidate -> finish(candidate, FinishReason.LENGTH));
            over = true;
        } else {
            over = next.isEmpty() || isBeaten(score(next.getFirst().logprob(), length));
        }
        hypotheses = over ? List.of() : continued(next);
        candidates.clear();
        accepted = 0;
    }

    private boolean isBeaten(double score) {
        return best != null && finished >= beams && best.score() >= score;
    }

    /// Tokens of each hypothesis.
    private int count() {
        return hypotheses.isEmpty() ? 0 : hypotheses.getFirst().tokens().size();
    }

    private double score(double logprob, int length) {
        return logprob / Math.pow(length, request.sampling().lengthPenalty());
    }

    private void finish(Candidate candidate, FinishReason reason) {
        TokenIds tokens = tokens(candidate);
        double score = score(candidate.logprob(), tokens.size());
        finished++;
        if (best == null || score > best.score()) {
            int kept = reason == FinishReason.STOP ? tokens.size() - 1 : tokens.size();
            best = new Finished(tokens, kept, reason, candidate.logprob(), score);
        }
    }

    private TokenIds tokens(Candidate candidate) {
        if (hypotheses.isEmpty()) {
            return TokenIds.of(candidate.token());
        }
        TokenIds before = hypotheses.get(candidate.parent()).tokens();
        int[] tokens = Arrays.copyOf(before.toArray(), before.size() + 1);
        tokens[before.size()] = candidate.token();
        return TokenIds.of(tokens);
    }

    /// The first to continue a hypothesis takes its cache over, the others take forks.
    private List<Hypothesis> continued(List<Candidate> next) {
        List<Hypothesis> made = new ArrayList<>();
        boolean[] taken = new boolean[Math.max(1, hypotheses.size())];
        for (Candidate candidate : next) {
            int parent = candidate.parent();
            SequenceCache cache =
                    hypotheses.isEmpty() ? cache() : hypotheses.get(parent).cache();
            made.add(new Hypothesis(taken[parent] ? cache.fork() : cache, tokens(candidate), candidate.logprob()));
            taken[parent] = true;
        }
        return made;
    }

    @Override
    boolean hasEnded() {
        return over;
    }

    @Override
    void complete() {
        Finished found = Objects.requireNonNull(best, "over");
        TokenIds kept = found.tokens().head(found.kept());
        result.complete(new Completed(
                request.id(),
                kept,
                tokenizer == null ? "" : tokenizer.decode(kept.toArray()),
                found.reason(),
                found.logprob() / found.tokens().size(),
                usage(found.tokens().size()),
                timing()));
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
    BeamSearch again() {
        return new BeamSearch(request, result, tokenizer, eosTokens, cacheBytes(), submittedNanos());
    }

    @Override
    int maxTokens() {
        return request.sampling().maxTokens();
    }
}
