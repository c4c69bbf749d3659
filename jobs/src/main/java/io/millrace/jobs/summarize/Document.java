package io.millrace.jobs.summarize;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A document as its requests are made of it.
///
/// @param columns values of the other columns that the templates name
/// @param chunks in order; none if there is no text to summarise
/// @param chunkTokens most tokens of a chunk
record Document(@Nullable String text, Map<String, String> columns, List<Chunk> chunks, int chunkTokens) {

    Document {
        columns = Map.copyOf(columns);
        chunks = List.copyOf(chunks);
    }

    String chunk(int index) {
        if (text == null) {
            throw new IllegalStateException("a document without a text has no chunks");
        }
        return chunks.get(index).of(text);
    }
}
