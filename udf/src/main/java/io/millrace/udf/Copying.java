package io.millrace.udf;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;

/// How much of a summary is copied from its source. Words are those of the column dictionary's
/// `repetition`.
///
/// @param copiedGrams share of the summary's 4-grams of words that the source has too, [0, 1]; empty where
///     the summary has fewer than four words
/// @param longestRun words of the longest run of the summary that stands in the source as it is
/// @param coverage share of the summary's words in runs shared with the source, the longest first from its
///     beginning on (extractive fragment coverage, Grusky et al. 2018), [0, 1]; empty without words
public record Copying(OptionalDouble copiedGrams, int longestRun, OptionalDouble coverage) {
    private static final int GRAM = 4;

    public static Copying of(String source, String summary) {
        List<String> from = TextMetrics.words(source);
        List<String> to = TextMetrics.words(summary);
        int[] runs = runs(from, to);
        int longest = 0;
        for (int run : runs) {
            longest = Math.max(longest, run);
        }
        return new Copying(copied(from, to), longest, coverage(runs));
    }

    private static OptionalDouble copied(List<String> from, List<String> to) {
        int grams = to.size() - GRAM + 1;
        if (grams < 1) {
            return OptionalDouble.empty();
        }
        Set<List<String>> there = new HashSet<>();
        for (int at = 0; at + GRAM <= from.size(); at++) {
            there.add(from.subList(at, at + GRAM));
        }
        int copied = 0;
        for (int at = 0; at < grams; at++) {
            copied += there.contains(to.subList(at, at + GRAM)) ? 1 : 0;
        }
        return OptionalDouble.of((double) copied / grams);
    }

    private static OptionalDouble coverage(int[] runs) {
        if (runs.length == 0) {
            return OptionalDouble.empty();
        }
        int covered = 0;
        for (int at = 0; at < runs.length; at += Math.max(1, runs[at])) {
            covered += runs[at];
        }
        return OptionalDouble.of((double) covered / runs.length);
    }

    /// Of each word of the summary, how many words from it on stand in the source one after the other.
    private static int[] runs(List<String> from, List<String> to) {
        Map<String, List<Integer>> places = new HashMap<>();
        for (int at = 0; at < from.size(); at++) {
            places.computeIfAbsent(from.get(at), _ -> new ArrayList<>()).add(at);
        }
        int[] runs = new int[to.size()];
        for (int at = 0; at < runs.length; at++) {
            for (int place : places.getOrDefault(to.get(at), List.of())) {
                int run = 0;
                while (at + run < to.size()
                        && place + run < from.size()
                        && to.get(at + run).equals(from.get(place + run))) {
                    run++;
                }
                runs[at] = Math.max(runs[at], run);
            }
        }
        return runs;
    }
}
