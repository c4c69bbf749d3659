package io.millrace.udf;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// chrF of a text as sacreBLEU computes it with its defaults
/// (`nrefs:var|case:mixed|eff:yes|nc:6|nw:0|space:no`): F with β = 2 of the means, over the n-grams of
/// 1 to 6 code points that both texts have, of precision and of recall (Popović 2015). White space is
/// left out before the n-grams are made. Of several references the best. Needs no words, so it is fair
/// to every script.
public final class ChrF {
    private static final int ORDER = 6;
    private static final int BETA_SQUARED = 4;

    private ChrF() {}

    /// @return in [0, 100]; 0 without a reference
    public static double score(List<String> references, String prediction) {
        double best = 0;
        int[] candidate = codePoints(prediction);
        for (String reference : references) {
            best = Math.max(best, score(codePoints(reference), candidate));
        }
        return best;
    }

    private static double score(int[] target, int[] candidate) {
        double precision = 0;
        double recall = 0;
        // of the longer n-grams a short text has none
        int orders = Math.min(ORDER, Math.min(target.length, candidate.length));
        for (int n = 1; n <= orders; n++) {
            double hits = hits(target, candidate, n);
            precision += hits / (candidate.length - n + 1);
            recall += hits / (target.length - n + 1);
        }
        if (precision + recall == 0) {
            return 0;
        }
        precision /= orders;
        recall /= orders;
        return 100 * (1 + BETA_SQUARED) * precision * recall / (BETA_SQUARED * precision + recall);
    }

    private static int hits(int[] target, int[] candidate, int n) {
        Map<String, Integer> left = new HashMap<>();
        for (int at = 0; at + n <= target.length; at++) {
            left.merge(new String(target, at, n), 1, Integer::sum);
        }
        int hits = 0;
        for (int at = 0; at + n <= candidate.length; at++) {
            String gram = new String(candidate, at, n);
            int there = left.getOrDefault(gram, 0);
            if (there > 0) {
                left.put(gram, there - 1);
                hits++;
            }
        }
        return hits;
    }

    private static int[] codePoints(String text) {
        return text.codePoints().filter(c -> !isSpace(c)).toArray();
    }

    /// What Python calls white space: Unicode's space separators and the control characters that separate.
    private static boolean isSpace(int c) {
        return Character.isSpaceChar(c) || (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F) || c == 0x85;
    }
}
