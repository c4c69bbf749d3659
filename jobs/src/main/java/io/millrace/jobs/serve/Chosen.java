package io.millrace.jobs.serve;

import java.util.ArrayList;
import java.util.List;

/// A token that was chosen, and what else might have been.
///
/// @param logprob natural logarithm of its probability at temperature 1; NaN of a first token, which
///     has none
/// @param likeliest of the vocabulary, the likeliest first, ties to the lower id
record Chosen(int token, double logprob, List<Chosen> likeliest) {

    /// @param top how many likeliest tokens are wanted
    static Chosen of(int token, float[] logits, double logSumExp, int top) {
        List<Chosen> likeliest = new ArrayList<>(top);
        for (int id : likeliest(logits, top)) {
            likeliest.add(new Chosen(id, logits[id] - logSumExp, List.of()));
        }
        return new Chosen(token, logits[token] - logSumExp, List.copyOf(likeliest));
    }

    /// One pass with a short sorted list: `top` is at most twenty.
    private static int[] likeliest(float[] logits, int top) {
        int[] best = new int[Math.min(top, logits.length)];
        int size = 0;
        for (int id = 0; id < logits.length && best.length > 0; id++) {
            if (size == best.length && logits[id] <= logits[best[size - 1]]) {
                continue;
            }
            int at = size < best.length ? size++ : size - 1;
            for (; at > 0 && logits[best[at - 1]] < logits[id]; at--) {
                best[at] = best[at - 1];
            }
            best[at] = id;
        }
        return best;
    }
}
