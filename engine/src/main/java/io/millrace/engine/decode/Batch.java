package io.millrace.engine.decode;

import io.millrace.engine.api.EngineConfig;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.EngineStats;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.ErrorKind;
import io.millrace.engine.api.ExpertLoad;
import io.millrace.engine.cache.SequenceCache;
import io.millrace.engine.decode.PrefixTree.Prefix;
import io.millrace.engine.model.Drafter;
import io.millrace.engine.model.LanguageModel;
import io.millrace.engine.model.Step;
import io.millrace.engine.tensor.Floats;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The sequences of the running batch and those that wait for it, one step after another. Used by the batch
/// thread alone.
///
/// 1. The bytes reserved by running sequences and those of kept prefixes never exceed the cache budget
///    together. A request that would exceed it waits, prefixes that nothing uses giving way first, and
///    those behind it wait too, so that none starves.
/// 2. A sequence enters and leaves between any two steps. What it computes does not depend on which others
///    are there, on where its chunks end, or on whether it began with a prefix that another had computed.
/// 3. Every step takes a token of each decoding sequence first and fills what is left of the token budget
///    with prompts, oldest first, and then with those of requests it admits for it: decoding never
///    waits for a long prompt, and a request is admitted as late as can be, when most is known of what
///    it shares.
/// 4. A step that fails is taken apart: each of its sequences begins again and runs alone, so that the
///    fault of one is the failure of that one.
final class Batch {
    private static final System.Logger LOG = System.getLogger(Batch.class.getName());

    /// Rows whose logits are computed at a time, which with a large vocabulary take more memory than
    /// anything else in a step. As many as decode together by default, so that the head is then read once.
    private static final int LOGIT_ROWS = 256;

    private final LanguageModel model;
    private final EngineConfig config;
    private final int maxRunning;
    private final @Nullable Speculation speculation;
    private final PrefixTree prefixes = new PrefixTree();
    private final WaitingRows waiting;
    private final List<Sequence> running = new ArrayList<>();
    // of steps that failed, begun again
    private final Deque<Sequence> suspects = new ArrayDeque<>();
    private @Nullable Sequence alone;
    private final float[] row;
    private long reservedBytes;

    private long promptTokens;
    private long cachedTokens;
    private long completionTokens;
    private long completed;
    private long failed;
    private long steps;
    private long stepTokens;
    private long guessedTokens;
    private long acceptedTokens;

    /// Consecutive tokens of a sequence in a step.
    ///
    /// @param wanted how many of the span's rows, counted from its end, have logits that are wanted
    record Part(Sequence sequence, Step.Span span, int wanted) {}

    Batch(LanguageModel model, EngineConfig config) {
        this.model = model;
        this.config = config;
        this.maxRunning = Math.min(config.maxRunning(), config.stepTokens());
        this.waiting = new WaitingRows(maxRunning);
        this.row = new float[model.config().vocabSize()];
        Drafter drafter = config.speculation() ? model.drafter() : null;
        this.speculation = drafter == null ? null : new Speculation(model, drafter);
    }

    boolean isIdle() {
        return running.isEmpty() && waiting.size() == 0 && suspects.isEmpty();
    }

    void add(Sequence sequence) {
        if (config.prefixSharing()) {
            prefixes.enter(sequence);
        }
        waiting.add(sequence);
    }

    EngineStats stats() {
        return new EngineStats(
                promptTokens,
                cachedTokens,
                completionTokens,
                completed,
                failed,
                steps,
                stepTokens,
                steps * config.stepTokens(),
                guessedTokens,
                acceptedTokens,
                running.size(),
                waiting.size() + suspects.size(),
                reservedBytes,
                prefixes.bytes());
    }

    /// May be asked by any thread.
    ExpertLoad expertLoad() {
        return model.expertLoad();
    }

    /// Runs one forward pass.
    ///
    /// @return results to hand out, when the counters that include them can be seen
    List<Runnable> step() {
        List.copyOf(running).stream().filter(Sequence::isCancelled).forEach(this::leave);
        Step step = new Step();
        List<Part> parts = compose(step);
        if (parts.isEmpty()) {
            return List.of();
        }
        steps++;
        stepTokens += step.rows();
        try {
            return forward(step, parts);
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.ERROR, "a step of " + step.rows() + " tokens failed", e);
            String message = "step of " + step.rows() + " tokens failed: ";
            return e instanceof EngineException failure && failure.code().kind() == ErrorKind.DEVICE
                    ? fail(sequences(parts), failure.code(), message + failure.getMessage())
                    : takeApart(sequences(parts), message + e);
        }
    }

    private List<Part> compose(Step step) {
        List<Part> parts = new ArrayList<>();
        if (alone == null && !suspects.isEmpty() && begin(suspects.peek())) {
            alone = suspects.remove();
        }
        if (alone != null) {
            feed(alone, step, parts);
            return parts;
        }
        for (boolean decoding : new boolean[] {true, false}) {
            for (Sequence sequence : running) {
                if (sequence.isDecoding() == decoding) {
                    feed(sequence, step, parts);
                }
            }
        }
        admit(step, parts);
        return parts;
    }

    private void feed(Sequence sequence, Step step, List<Part> parts) {
        int room = config.stepTokens() - step.rows();
        if (room == 0) {
            return;
        }
        for (Step.Span span : sequence.addTo(step, room, prefixes.plan(sequence))) {
            int end = span.startPosition() + span.rows();
            int firstWanted = Math.max(span.startPosition(), sequence.promptSize() - 1);
            parts.add(new Part(sequence, span, Math.max(0, end - firstWanted)));
            promptTokens += Math.max(0, Math.min(end, sequence.promptSize()) - span.startPosition());
        }
    }

    private void admit(Step step, List<Part> parts) {
        Iterator<Sequence> rows = waiting.iterator();
        while (rows.hasNext() && step.rows() < config.stepTokens()) {
            Sequence sequence = rows.next();
            if (sequence.isCancelled()) {
                prefixes.withdraw(sequence);
                rows.remove();
            } else if (!prefixes.mustWait(sequence)) {
                if (width() + sequence.width() > maxRunning || !begin(sequence)) {
                    return;
                }
                rows.remove();
                feed(sequence, step, parts);
            }
        }
    }

    private int width() {
        return running.stream().mapToInt(Sequence::width).sum();
    }

    /// Takes a sequence into the batch, from the longest prefix there is. Returns false if memory is short.
    private boolean begin(Sequence sequence) {
        Prefix base = prefixes.use(prefixes.longest(sequence));
        if (!makeRoom(bytes(sequence, base))) {
            prefixes.release(base);
            if (!running.isEmpty()) {
                return false;
            }
            // nothing else is left to give way but the prefix itself: a request alone always has room
            base = null;
            makeRoom(bytes(sequence, null));
        }
        SequenceCache cache = base == null ? model.newCache() : base.cache().fork();
        sequence.admit(cache, base, bytes(sequence, base));
        reservedBytes += sequence.reservedBytes();
        promptTokens += cache.length();
        cachedTokens += cache.length();
        prefixes.begin(sequence);
        running.add(sequence);
        return true;
    }

    private static long bytes(Sequence sequence, @Nullable Prefix base) {
        return sequence.cacheBytes() - (base == null ? 0 : base.cache().completePageBytes());
    }

    private boolean makeRoom(long bytes) {
        while (reservedBytes + prefixes.bytes() + bytes > config.cacheBudgetBytes()) {
            if (!prefixes.evict()) {
                return false;
            }
        }
        return true;
    }

    private List<Runnable> forward(Step step, List<Part> parts) {
        Floats hidden = model.forward(step);
        choose(hidden, parts);
        List<Sequence> ended = new ArrayList<>();
        for (Sequence sequence : sequences(parts)) {
            settle(sequence);
            if (sequence.hasEnded()) {
                ended.add(sequence);
            } else {
                keepPrefix(sequence);
            }
        }
        if (speculation != null && isSmall(running.size() - ended.size())) {
            speculation.guess(hidden, parts);
        }
        ended.forEach(this::leave);
        completed += ended.size();
        return ended.stream().<Runnable>map(sequence -> sequence::complete).toList();
    }

    /// Hands each sequence the logits of its wanted rows, in order.
    private void choose(Floats hidden, List<Part> parts) {
        List<Sequence> owners = new ArrayList<>();
        List<Integer> positions = new ArrayList<>();
        List<Integer> rows = new ArrayList<>();
        for (Part part : parts) {
            for (int i = part.span().rows() - part.wanted(); i < part.span().rows(); i++) {
                owners.add(part.sequence());
                positions.add(part.span().startPosition() + i);
                rows.add(part.span().firstRow() + i);
            }
        }
        for (int from = 0; from < rows.size(); from += LOGIT_ROWS) {
            int to = Math.min(rows.size(), from + LOGIT_ROWS);
            int[] slice =
                    rows.subList(from, to).stream().mapToInt(Integer::intValue).toArray();
            Floats logits = model.logits(hidden, slice);
            double[] logSumExp = model.logSumExp(logits, slice.length);
            for (int i = 0; i < slice.length; i++) {
                model.read(logits, i * row.length, row, row.length);
                boolean used = owners.get(from + i).accept(positions.get(from + i), row, logSumExp[i]);
                completionTokens += used ? 1 : 0;
            }
        }
    }

    private static List<Sequence> sequences(List<Part> parts) {
        return parts.stream().map(Part::sequence).distinct().toList();
    }

    private void settle(Sequence sequence) {
        if (sequence.hasGuess()) {
            guessedTokens++;
            acceptedTokens += sequence.settle() ? 1 : 0;
        }
    }

    /// If the sequence has come to where others part from it, leaves its cache there for them.
    private void keepPrefix(Sequence sequence) {
        if (!prefixes.isDue(sequence)) {
            return;
        }
        SequenceCache cache = sequence.cache();
        long bytes = sequence.cacheBytes() - cache.completePageBytes();
        if (makeRoom(cache.bytes() + bytes - sequence.reservedBytes())) {
            reservedBytes += bytes - sequence.reservedBytes();
            Prefix prefix = prefixes.keep(sequence);
            sequence.rebase(cache.fork(), prefix, bytes);
        }
    }

    private boolean isSmall(int sequences) {
        return sequences <= Speculation.MOST_ROWS && 2 * sequences <= config.stepTokens();
    }

    private void leave(Sequence sequence) {
        running.remove(sequence);
        reservedBytes -= sequence.reservedBytes();
        prefixes.leave(sequence);
        if (sequence == alone) {
            alone = null;
        }
    }

    /// One of the sequences is to blame: each is tried again by itself.
    private List<Runnable> takeApart(List<Sequence> sequences, String message) {
        if (sequences.size() == 1) {
            return fail(sequences, ErrorCode.INTERNAL, message);
        }
        sequences.forEach(this::leave);
        sequences.forEach(sequence -> suspects.add(sequence.again()));
        return List.of();
    }

    private List<Runnable> fail(List<Sequence> sequences, ErrorCode code, String message) {
        sequences.forEach(this::leave);
        failed += sequences.size();
        return sequences.stream()
                .<Runnable>map(sequence -> () -> sequence.fail(code, message))
                .toList();
    }

    /// Ends everything that is under way.
    void abandon(String reason) {
        List<Sequence> unfinished = new ArrayList<>(running);
        waiting.forEach(unfinished::add);
        unfinished.addAll(suspects);
        running.clear();
        waiting.clear();
        suspects.clear();
        reservedBytes = 0;
        failed += unfinished.size();
        unfinished.forEach(sequence -> sequence.fail(ErrorCode.ENGINE_CLOSED, reason));
    }
}
