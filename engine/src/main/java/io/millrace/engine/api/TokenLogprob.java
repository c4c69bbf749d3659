package io.millrace.engine.api;

import java.util.List;

/// A generated token and what else could have stood in its place, in natural logarithms of the model's own
/// distribution: before temperature, truncation of the tail and constraints.
///
/// @param token id; -1 where a server does not tell
/// @param text what the token spells; bytes that are no UTF-8 as U+FFFD
/// @param top the likeliest tokens, likeliest first, ties to the lower id
public record TokenLogprob(int token, String text, double logprob, List<Likely> top) {

    public TokenLogprob {
        top = List.copyOf(top);
    }

    /// One of the likeliest tokens.
    public record Likely(int token, String text, double logprob) {}
}
