package io.millrace.udf;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// ROUGE as Google's `rouge_score` package computes it with its stemmer on (google-research/rouge):
/// lower-case, every run of characters outside `[a-z0-9]` a separator, words of more than three characters
/// stemmed by Porter's algorithm. F1 of 1-grams, 2-grams and the longest common subsequence (Lin 2004,
/// sections 2 and 3.1).
///
/// A text without Latin letters or digits has no words under these rules, and scores 0.
public final class Rouge {
    private static final int LONGEST_UNSTEMMED = 3;

    private Rouge() {}

    /// @param rouge1 F1, in [0, 1]
    /// @param rouge2 F1, in [0, 1]
    /// @param rougeL F1, in [0, 1]
    public record Scores(double rouge1, double rouge2, double rougeL) {}

    public static Scores score(String reference, String prediction) {
        List<String> target = tokens(reference);
        List<String> candidate = tokens(prediction);
        return new Scores(
                gramsF1(target, candidate, 1),
                gramsF1(target, candidate, 2),
                f1(longestCommonSubsequence(target, candidate), candidate.size(), target.size()));
    }

    static List<String> tokens(String text) {
        List<String> tokens = new ArrayList<>();
        String lower = text.toLowerCase(Locale.ROOT);
        int start = 0;
        for (int at = 0; at <= lower.length(); at++) {
            if (at == lower.length() || !isWordCharacter(lower.charAt(at))) {
                if (at > start) {
                    tokens.add(token(lower.substring(start, at)));
                }
                start = at + 1;
            }
        }
        return tokens;
    }

    private static boolean isWordCharacter(char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    }

    private static String token(String word) {
        return word.length() > LONGEST_UNSTEMMED ? PorterStemmer.stem(word) : word;
    }

    private static double gramsF1(List<String> target, List<String> candidate, int n) {
        Map<List<String>, Integer> wanted = grams(target, n);
        Map<List<String>, Integer> found = grams(candidate, n);
        int hits = 0;
        for (Map.Entry<List<String>, Integer> gram : wanted.entrySet()) {
            hits += Math.min(gram.getValue(), found.getOrDefault(gram.getKey(), 0));
        }
        return f1(hits, candidate.size() - n + 1, target.size() - n + 1);
    }

    private static Map<List<String>, Integer> grams(List<String> tokens, int n) {
        Map<List<String>, Integer> counts = new HashMap<>();
        for (int start = 0; start + n <= tokens.size(); start++) {
            counts.merge(tokens.subList(start, start + n), 1, Integer::sum);
        }
        return counts;
    }

    private static double f1(int hits, int candidates, int targets) {
        if (hits == 0) {
            return 0;
        }
        double precision = (double) hits / candidates;
        double recall = (double) hits / targets;
        return 2 * precision * recall / (precision + recall);
    }

    /// Two rows of the usual table: memory grows with one text, not with the product of both.
    private static int longestCommonSubsequence(List<String> a, List<String> b) {
        int[] previous = new int[b.size() + 1];
        int[] current = new int[b.size() + 1];
        for (String word : a) {
            for (int j = 1; j <= b.size(); j++) {
                current[j] = word.equals(b.get(j - 1)) ? previous[j - 1] + 1 : Math.max(previous[j], current[j - 1]);
            }
            int[] swap = previous;
            previous = current;
            current = swap;
        }
        return previous[b.size()];
    }
}
