package io.millrace.jobs.summarize;

/// How a document is summarised that may be longer than a prompt.
public enum Strategy {
    /// In one prompt, which is cut if it is too long.
    SINGLE,
    /// Every chunk by itself, then the chunks' summaries together, in rounds until they fit one prompt.
    MAP_REDUCE,
    /// Chunk after chunk, each with the summary so far before it.
    REFINE,
    /// As map-reduce, but each chunk with the summaries of what came before it.
    HIERARCHICAL
}
