package io.millrace.udf.shard;

/// How records lie in an input file, and so what a block of one is: the part that can be read without what
/// comes before it, and that rows are numbered in.
public enum RecordFormat {
    /// A block is a row group.
    PARQUET(false),
    /// One JSON object per line, lines of space left out. A block is a stretch of {@link #SPLIT_BYTES}.
    JSON_LINES(true),
    /// One request of OpenAI's batch format per line, lines of space left out. A block is a stretch.
    OPENAI_LINES(true),
    /// One record per line below a header line, blank lines left out. A block is a stretch.
    CSV_LINES(true),
    /// Records that may span lines. The file is one block.
    CSV(false),
    /// One document per line. A block is a stretch.
    TEXT_LINES(true),
    /// One document per file.
    TEXT_FILE(false);

    /// Length of a stretch of lines. A line belongs to the stretch that it starts in, save that one
    /// starting exactly at a stretch's first byte belongs to the stretch before, which is Hadoop's
    /// rule. Fixed, since the place of a row, and so its identity, follows from it.
    public static final long SPLIT_BYTES = 64L << 20;

    private final boolean lines;

    RecordFormat(boolean lines) {
        this.lines = lines;
    }

    /// Whether a file may be cut into stretches, unless it is compressed.
    public boolean isLines() {
        return lines;
    }
}
