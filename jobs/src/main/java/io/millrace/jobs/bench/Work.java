package io.millrace.jobs.bench;

import java.util.Optional;

/// What is timed.
///
/// @param streams sequences at once when decoding; 0 for prefill
record Work(int streams) {
    static final Work PREFILL = new Work(0);

    /// Tokens that all streams generate together, unless that is too few or too many for one.
    private static final int GENERATED = 2048;

    private static final int LEAST = 8;

    /// Reads `prefill` or `decode:N`.
    static Optional<Work> parse(String word) {
        if (word.equals("prefill")) {
            return Optional.of(PREFILL);
        }
        return word.matches("decode:[1-9][0-9]{0,5}")
                ? Optional.of(new Work(Integer.parseInt(word.substring("decode:".length()))))
                : Optional.empty();
    }

    boolean isPrefill() {
        return streams == 0;
    }

    /// Tokens that each stream generates, for every engine the same.
    ///
    /// @param most what one stream alone generates
    int generated(int most) {
        return Math.clamp(GENERATED / streams, Math.min(LEAST, most), most);
    }

    @Override
    public String toString() {
        return isPrefill() ? "prefill" : "decode:" + streams;
    }
}
