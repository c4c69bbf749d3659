package io.millrace.udf;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// ROUGE as Google's `rouge_score` package computes it with its stemmer on (google-research/rouge):
/// lower-case, every run of characters outside `[a-z0-9]` a separator, words of more than three characters
/// stemmed by Porter's algorithm. F1 of 1-grams, 2-grams and the longest common subsequence (Lin 2004,
/// sections 2 and 3.1), and of the union of sentences' longest common subsequences (section 3.2).
///
/// Of several references each score is that of the reference for which it is highest, as the package
/// has it: another score may be that of another reference.
///
/// A text without Latin letters or digits has no words under these rules, and scores 0.
public final class Rouge {
    private static final int LONGEST_UNSTEMMED = 3;

    private Rouge() {}

    /// @param rouge1 F1, in [0, 1]
    /// @param rouge2 F1, in [0, 1]
    /// @param rougeL F1, in [0, 1]
    public record Scores(double rouge1, double rouge2, double rougeL) {

        /// The higher of each.
        public Scores max(Scores other) {
            return new Scores(
                    Math.max(rouge1, other.rouge1), Math.max(rouge2, other.rouge2), Math.max(rougeL, other.rougeL));
        }
    }

    public static Scores score(String reference, String prediction) {
        return ofWords(tokens(reference), tokens(prediction));
    }

    /// The best of several references, for each score by itself; zeros without any.
    public static Scores score(List<String> references, String prediction) {
        Scores best = new Scores(0, 0, 0);
        for (String reference : references) {
            best = best.max(score(reference, prediction));
        }
        return best;
    }

    /// ROUGE-Lsum: F1 of the words of the reference that lie on a longest common subsequence of their
    /// sentence and any sentence of the prediction, no word counted oftener than either text has it.
    ///
    /// @param reference a sentence on each line; without line feeds the score is ROUGE-L
    /// @param prediction likewise
    public static double lsum(String reference, String prediction) {
        List<List<String>> targets = lines(reference);
        List<List<String>> candidates = lines(prediction);
        Map<String, Integer> targetWords = counts(targets);
        Map<String, Integer> candidateWords = counts(candidates);
        int hits = 0;
        for (List<String> target : targets) {
            BitSet union = new BitSet();
            candidates.forEach(candidate -> onSubsequence(target, candidate, union));
            for (int at = union.nextSetBit(0); at >= 0; at = union.nextSetBit(at + 1)) {
                String word = target.get(at);
                if (candidateWords.getOrDefault(word, 0) > 0 && targetWords.getOrDefault(word, 0) > 0) {
                    hits++;
                    candidateWords.merge(word, -1, Integer::sum);
                    targetWords.merge(word, -1, Integer::sum);
                }
            }
        }
        return f1(hits, words(candidates), words(targets));
    }

    private static List<List<String>> lines(String text) {
        List<List<String>> lines = new ArrayList<>();
        for (String line : text.split("\n", -1)) {
            lines.add(tokens(line));
        }
        return lines;
    }

    private static int words(List<List<String>> sentences) {
        return sentences.stream().mapToInt(List::size).sum();
    }

    private static Map<String, Integer> counts(List<List<String>> sentences) {
        Map<String, Integer> counts = new HashMap<>();
        sentences.forEach(sentence -> sentence.forEach(word -> counts.merge(word, 1, Integer::sum)));
        return counts;
    }

    /// Marks the words of the target on one longest common subsequence: of several, the one that is
    /// read off the table from its end by leaving a word of the target where both ways are as long.
    private static void onSubsequence(List<String> target, List<String> candidate, BitSet marks) {
        int[][] lengths = new int[target.size() + 1][candidate.size() + 1];
        for (int i = 1; i <= target.size(); i++) {
            for (int j = 1; j <= candidate.size(); j++) {
                lengths[i][j] = target.get(i - 1).equals(candidate.get(j - 1))
                        ? lengths[i - 1][j - 1] + 1
                        : Math.max(lengths[i - 1][j], lengths[i][j - 1]);
            }
        }
        int i = target.size();
        int j = candidate.size();
        while (i > 0 && j > 0) {
            if (target.get(i - 1).equals(candidate.get(j - 1))) {
                marks.set(--i);
                j--;
            } else if (lengths[i][j - 1] > lengths[i - 1][j]) {
                j--;
            } else {
                i--;
            }
        }
    }

    /// The same measures of words that were found by other rules.
    static Scores ofWords(List<String> target, List<String> candidate) {
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

    /// Length of the longest common subsequence of words. Two rows of the usual table: memory grows with one
    /// text, not with the product of both.
    public static int longestCommonSubsequence(List<String> a, List<String> b) {
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
