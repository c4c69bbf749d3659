package io.millrace.jobs.summarize;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// How far a document is. What follows from it and the document is not kept.
///
/// @param level 1 while chunks of the document are summarised, one more for each round of summaries of
///     summaries
/// @param pieces what is summarised at this level
/// @param next the first of them that was not asked about
/// @param summaries what is there of this level, in order
/// @param ofChunks the summaries of the document's chunks, by chunk
/// @param leftOut what was left out, and why
/// @param prompt the user's turn of the last request; null as long as it cannot be said
/// @param failure why there will be none; null unless it is so
@JsonIgnoreProperties(ignoreUnknown = true)
record Progress(
        int level,
        List<Piece> pieces,
        int next,
        List<Summary> summaries,
        Map<Integer, String> ofChunks,
        List<String> leftOut,
        @Nullable String prompt,
        @Nullable String failure) {
    private static final ObjectMapper JSON = new ObjectMapper();

    Progress {
        pieces = List.copyOf(pieces);
        summaries = List.copyOf(summaries);
        ofChunks = Map.copyOf(ofChunks);
        leftOut = List.copyOf(leftOut);
    }

    /// Something to summarise.
    ///
    /// @param first first of the chunks that it is made of
    /// @param last last of them
    /// @param text null for the chunk itself
    record Piece(int first, int last, @Nullable String text) {}

    /// A summary of some of the chunks.
    record Summary(int first, int last, String text) {}

    static Progress of(List<Piece> pieces) {
        return new Progress(1, pieces, 0, List.of(), Map.of(), List.of(), null, null);
    }

    /// Whether no more rounds are needed.
    boolean isReady() {
        return prompt != null || failure != null || pieces.isEmpty();
    }

    Progress failed(String reason) {
        return new Progress(level, pieces, next, summaries, ofChunks, leftOut, null, reason);
    }

    Progress ready(String lastPrompt) {
        return new Progress(level, pieces, next, summaries, ofChunks, leftOut, lastPrompt, null);
    }

    Progress asked(int upTo) {
        return new Progress(level, pieces, upTo, summaries, ofChunks, leftOut, prompt, failure);
    }

    Progress with(Summary summary) {
        List<Summary> more = new ArrayList<>(summaries);
        more.add(summary);
        Map<Integer, String> chunks = new TreeMap<>(ofChunks);
        if (level == 1) {
            chunks.put(summary.first(), summary.text());
        }
        return new Progress(level, pieces, next, more, chunks, leftOut, prompt, failure);
    }

    Progress without(String what) {
        List<String> more = new ArrayList<>(leftOut);
        more.add(what);
        return new Progress(level, pieces, next, summaries, ofChunks, more, prompt, failure);
    }

    Progress nextLevel(List<Piece> groups) {
        return new Progress(level + 1, groups, 0, List.of(), ofChunks, leftOut, prompt, failure);
    }

    String toJson() {
        try {
            return JSON.writeValueAsString(this);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("strings and numbers can always be written", e);
        }
    }

    static Progress ofJson(String json) {
        try {
            return JSON.readValue(json, Progress.class);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("progress: expected its JSON, got " + json, e);
        }
    }
}
