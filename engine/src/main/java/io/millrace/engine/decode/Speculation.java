package io.millrace.engine.decode;

import io.millrace.engine.cache.SequenceCache;
import io.millrace.engine.decode.Batch.Part;
import io.millrace.engine.model.Drafter;
import io.millrace.engine.model.LanguageModel;
import io.millrace.engine.model.Step;
import io.millrace.engine.tensor.Floats;
import java.util.ArrayList;
import java.util.List;

/// Guesses each sequence's token after next with the model's prediction block; the next step feeds the guess
/// behind the token that is certain, and the model's own choice in that place says whether it stands. A row's
/// tokens are those that it would have had without: the same choice is made from logits of the same bits.
///
/// It pays while a step's time is mostly the reading of weights, and costs where rows are many.
final class Speculation {
    /// Sequences in the batch up to which it is done.
    static final int MOST_ROWS = 4;

    /// The block sees as much of a prompt: the release's sliding window.
    private static final int PROMPT_ROWS = 128;

    private final LanguageModel model;
    private final Drafter drafter;
    private final float[] row;

    /// What the block has seen of a sequence.
    ///
    /// @param position in the sequence, up to which it has
    record Seen(SequenceCache cache, int position) {}

    Speculation(LanguageModel model, Drafter drafter) {
        this.model = model;
        this.drafter = drafter;
        this.row = new float[model.config().vocabSize()];
    }

    /// To be called after a step, when its tokens are chosen.
    ///
    /// @param hidden the step's hidden rows
    void guess(Floats hidden, List<Part> parts) {
        List<Generation> guessing = new ArrayList<>();
        Step next = new Step();
        List<Integer> rows = new ArrayList<>();
        List<Integer> last = new ArrayList<>();
        for (Part part : parts) {
            if (part.sequence() instanceof Generation sequence && sequence.isDecoding() && !sequence.hasEnded()) {
                feed(sequence, part.span(), next, rows);
                last.add(next.rows() - 1);
                guessing.add(sequence);
            }
        }
        if (guessing.isEmpty()) {
            return;
        }
        Floats logits = drafter.logits(hidden, ints(rows), next, ints(last));
        for (int i = 0; i < guessing.size(); i++) {
            model.read(logits, i * row.length, row, row.length);
            guessing.get(i).guessFrom(row);
        }
    }

    private void feed(Generation sequence, Step.Span span, Step next, List<Integer> rows) {
        int to = sequence.length();
        int from = Math.max(span.startPosition(), to - PROMPT_ROWS);
        Seen seen = sequence.seen();
        // what was missed cannot be made good, and is as little seen as what lies before the window
        SequenceCache cache = seen != null && seen.position() == from ? seen.cache() : drafter.newCache();
        next.add(cache, sequence.tokens(), from + 1, to - from);
        for (int position = from; position < to; position++) {
            rows.add(span.firstRow() + position - span.startPosition());
        }
        sequence.seen(new Seen(cache, to));
    }

    private static int[] ints(List<Integer> list) {
        return list.stream().mapToInt(Integer::intValue).toArray();
    }
}
