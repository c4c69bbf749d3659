package io.millrace.jobs.bench;

/// What every engine is given.
///
/// @param threads of an engine
/// @param prompt tokens of a prompt in prefill
/// @param generated most tokens that a stream generates
record Shape(int threads, int prompt, int generated) {
    /// Tokens of a prompt before decoding: few, since decoding is what is timed.
    static final int DECODE_PROMPT = 8;
}
