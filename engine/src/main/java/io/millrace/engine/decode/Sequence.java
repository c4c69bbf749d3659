package io.millrace.engine.decode;

import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.GenerationResult.Timing;
import io.millrace.engine.api.GenerationResult.Usage;
import io.millrace.engine.cache.SequenceCache;
import io.millrace.engine.decode.PrefixTree.Node;
import io.millrace.engine.decode.PrefixTree.Prefix;
import io.millrace.engine.model.Step;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A request on its way: waiting, in prefill, in decode, done. Tokens that are known are fed in chunks, later
/// ones as they are chosen, perhaps with a guess behind. After submission the batch thread alone touches it.
abstract sealed class Sequence permits Generation, Scoring, BeamSearch {
    private static final int NO_GUESS = -1;

    private final int promptSize;
    private final long cacheBytes;
    private final long submittedNanos;

    // the tokens known so far, and behind them room for a guess
    private int[] tokens;
    private int known;
    private int guess = NO_GUESS;
    // where the guess of the step under way stands
    private int guessPosition;

    private @Nullable SequenceCache cache;
    private @Nullable Node node;
    private @Nullable Node stop;
    private @Nullable Prefix base;
    private long reservedBytes;
    private int cachedTokens;
    private long admittedNanos;
    private long decodingNanos;

    /// @param fixed the tokens that are given, beginning with the prompt; becomes its own
    /// @param cacheBytes that the whole of it takes when it shares nothing
    Sequence(int[] fixed, int promptSize, long cacheBytes, long submittedNanos) {
        this.tokens = fixed;
        this.known = fixed.length;
        this.promptSize = promptSize;
        this.cacheBytes = cacheBytes;
        this.submittedNanos = submittedNanos;
    }

    /// Takes the logits of a position, in order. Passes over those of a guess that has turned out wrong, and
    /// all after its end.
    ///
    /// @param logSumExp of the logits
    /// @return whether they were of use
    abstract boolean accept(int position, float[] logits, double logSumExp);

    /// Whether nothing is left to compute; it is then to be told so by {@link #complete}.
    abstract boolean hasEnded();

    /// Hands out the result of a sequence that has ended.
    abstract void complete();

    abstract void fail(ErrorCode code, String message);

    /// Whether nobody waits for the result any more.
    abstract boolean isCancelled();

    /// The same request from its beginning.
    abstract Sequence again();

    /// Tokens to be generated at most.
    abstract int maxTokens();

    final int promptSize() {
        return promptSize;
    }

    final int known() {
        return known;
    }

    /// The known tokens and room behind them; not to be changed.
    final int[] tokens() {
        return tokens;
    }

    /// Bytes that the whole of it takes when it shares nothing.
    final long cacheBytes() {
        return cacheBytes;
    }

    /// Bytes reserved for it while it runs.
    final long reservedBytes() {
        return reservedBytes;
    }

    final long submittedNanos() {
        return submittedNanos;
    }

    /// Where its prompt stands in the tree; null if it shares nothing.
    final @Nullable Node node() {
        return node;
    }

    final void node(@Nullable Node newNode) {
        node = newNode;
    }

    /// Where it is to pause, because it builds the prefix up to there; null for nowhere.
    final @Nullable Node stop() {
        return stop;
    }

    final void stop(@Nullable Node newStop) {
        stop = newStop;
    }

    /// The prefix it was forked from last; null for none.
    final @Nullable Prefix base() {
        return base;
    }

    final SequenceCache cache() {
        return Objects.requireNonNull(cache, "not admitted");
    }

    /// Tokens fed so far.
    final int length() {
        return cache().length();
    }

    final void admit(SequenceCache newCache, @Nullable Prefix newBase, long newReservedBytes) {
        rebase(newCache, newBase, newReservedBytes);
        cachedTokens = newCache.length();
        admittedNanos = System.nanoTime();
    }

    /// Goes on with another cache that has seen the same tokens.
    final void rebase(SequenceCache newCache, @Nullable Prefix newBase, long newReservedBytes) {
        cache = newCache;
        base = newBase;
        reservedBytes = newReservedBytes;
    }

    /// Rows of a step that it takes at least, and always when it decodes.
    int width() {
        return 1;
    }

    /// Whether all that is given has been fed, so that each further token has to be chosen first.
    boolean isDecoding() {
        return length() >= promptSize && length() == known - 1;
    }

    /// Feeds known tokens up to a position, and the guess behind the last of them if there is room.
    ///
    /// @param room rows, at least one
    List<Step.Span> addTo(Step step, int room, int stop) {
        int from = length();
        int count = Math.min(room, Math.min(stop, known) - from);
        guessPosition = from + count;
        if (guess != NO_GUESS && guessPosition == known && count < room) {
            tokens[guessPosition] = guess;
            cache().mark();
            count++;
        } else {
            guess = NO_GUESS;
        }
        return List.of(step.add(cache(), tokens, from, count));
    }

    /// Whether the step under way has fed a guess.
    final boolean hasGuess() {
        return guess != NO_GUESS;
    }

    /// Whether the token that was fed at a position is the one that belongs there.
    final boolean isCertain(int position) {
        return guess == NO_GUESS || position < guessPosition || tokens[position] == guess;
    }

    /// To be called after a step that has fed a guess: takes it back if it was wrong.
    ///
    /// @return whether it was right
    final boolean settle() {
        boolean right = length() < known;
        if (!right) {
            cache().rewind(known - 1);
        }
        guess = NO_GUESS;
        return right;
    }

    /// A guess at the token behind the last one known, for the next step.
    final void guess(int token) {
        guess = token;
    }

    /// Adds a chosen token.
    final void append(int token) {
        if (known + 2 > tokens.length) {
            tokens = Arrays.copyOf(tokens, 2 * known + 2);
        }
        tokens[known] = token;
        known++;
    }

    /// To be called when the first logits arrive.
    final void beginDecoding() {
        if (decodingNanos == 0) {
            decodingNanos = System.nanoTime();
        }
    }

    final Usage usage(int completionTokens) {
        return new Usage(promptSize, cachedTokens, completionTokens);
    }

    final Timing timing() {
        return new Timing(
                millis(submittedNanos, admittedNanos),
                millis(admittedNanos, decodingNanos),
                millis(decodingNanos, System.nanoTime()));
    }

    private static double millis(long from, long to) {
        return (to - from) / 1e6;
    }
}
