package io.millrace.jobs.plan;

import io.millrace.engine.api.TokenIds;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/// What prompts have in common at their beginning, as the engine's radix tree shares it: each row computes
/// its last token itself, and a beginning of fewer than {@link #LEAST_TOKENS} tokens is not worth a fork.
///
/// Counted over all rows at once, in whatever order: what a tree that forgets nothing would share. In order
/// of their tokens, a row's beginning that any row before it has is what it has in common with its
/// neighbour; the tree has a place for every other token.
///
/// @param tokens of all prompts
/// @param shared how many of these another prompt has computed
record SharedPrefixes(long tokens, long shared) {
    /// As the engine has it.
    static final int LEAST_TOKENS = 16;

    private static final Comparator<int[]> BY_TOKENS = Arrays::compare;

    static SharedPrefixes of(List<EncodedRow> rows) {
        long tokens = 0;
        long shared = 0;
        for (EncodedRow row : rows) {
            tokens += (long) row.samples() * row.promptTokens();
            if (row.promptTokens() > LEAST_TOKENS) {
                shared += (row.samples() - 1L) * (row.promptTokens() - 1);
            }
        }
        List<int[]> prompts = rows.stream()
                .map(EncodedRow::ids)
                .filter(ids -> ids.size() > LEAST_TOKENS)
                .map(SharedPrefixes::withoutLast)
                .sorted(BY_TOKENS)
                .toList();
        for (int at = 1; at < prompts.size(); at++) {
            int same = common(prompts.get(at - 1), prompts.get(at));
            shared += same >= LEAST_TOKENS ? same : 0;
        }
        return new SharedPrefixes(tokens, shared);
    }

    private static int[] withoutLast(TokenIds ids) {
        return ids.head(ids.size() - 1).toArray();
    }

    private static int common(int[] one, int[] other) {
        int at = Arrays.mismatch(one, other);
        return at < 0 ? one.length : at;
    }

    /// In [0, 1].
    double share() {
        return tokens == 0 ? 0 : (double) shared / tokens;
    }
}
