package io.millrace.jobs.summarize;

/// A stretch of a document, in UTF-16 units.
///
/// @param end past its last unit
/// @param tokens the model's own
/// @param overlap units at its beginning that the chunk before has too
record Chunk(int start, int end, int tokens, int overlap) {

    String of(String text) {
        return text.substring(start, end);
    }
}
