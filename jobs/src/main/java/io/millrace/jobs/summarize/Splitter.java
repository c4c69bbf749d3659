package io.millrace.jobs.summarize;

import io.millrace.udf.Sentences;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;

/// Cuts a text into chunks of at most so many of the model's own tokens. A chunk ends where a paragraph
/// does if it is at least half full there, else where a sentence does; a sentence longer than a chunk
/// is cut between words, and a word that is between characters. Fenced code blocks and tables are never
/// cut: one that is longer than a chunk is a chunk by itself, with more tokens than it may have.
///
/// Chunks begin and end with something other than white space, which may be lost between them; apart from
/// that they are the text, in order.
final class Splitter {
    private final ToIntFunction<String> tokens;
    private final int chunkTokens;
    private final int overlapTokens;

    /// @param tokens counts those of a text
    /// @param chunkTokens most of a chunk, at least 1
    /// @param overlapTokens most of a chunk's beginning that the chunk before has too
    Splitter(ToIntFunction<String> tokens, int chunkTokens, int overlapTokens) {
        this.tokens = tokens;
        this.chunkTokens = chunkTokens;
        this.overlapTokens = overlapTokens;
    }

    /// What is not cut any further; all of them cover the text.
    private record Unit(int start, int end, int tokens, boolean endsParagraph) {}

    List<Chunk> chunks(String text) {
        List<Unit> units = units(text);
        List<Chunk> chunks = new ArrayList<>();
        int covered = 0;
        int first = 0;
        while (first < units.size()) {
            int next = end(text, units, first, covered);
            add(text, units.get(first).start(), units.get(next - 1).end(), chunks);
            covered = next;
            first = next < units.size() ? next - repeated(units, next, first) : next;
        }
        return chunks;
    }

    /// Where the chunk ends that begins with a unit: past its last one, and past what is covered already.
    private int end(String text, List<Unit> units, int first, int covered) {
        int sum = 0;
        int end = first;
        int paragraph = first;
        while (end < units.size() && (end == first || sum + units.get(end).tokens() <= chunkTokens)) {
            sum += units.get(end).tokens();
            end++;
            if (units.get(end - 1).endsParagraph() && 2 * sum >= chunkTokens) {
                paragraph = end;
            }
        }
        if (end < units.size() && paragraph > covered) {
            end = paragraph;
        }
        // tokens of a whole need not be the sum of its parts'
        while (end - 1 > Math.max(first, covered)
                && tokens(text, units.get(first).start(), units.get(end - 1).end()) > chunkTokens) {
            end--;
        }
        return end;
    }

    private int tokens(String text, int start, int end) {
        return tokens.applyAsInt(text.substring(start, end).strip());
    }

    /// How many of the units before a chunk it repeats: what is allowed and leaves room for the first new
    /// one.
    private int repeated(List<Unit> units, int next, int first) {
        int room = Math.min(overlapTokens, chunkTokens - units.get(next).tokens());
        int repeated = 0;
        int sum = 0;
        while (next - repeated - 1 > first
                && sum + units.get(next - repeated - 1).tokens() <= room) {
            repeated++;
            sum += units.get(next - repeated).tokens();
        }
        return repeated;
    }

    private void add(String text, int start, int end, List<Chunk> chunks) {
        String whole = text.substring(start, end);
        String stripped = whole.strip();
        if (stripped.isEmpty()) {
            return;
        }
        int from = start + whole.indexOf(stripped);
        int overlap = chunks.isEmpty() ? 0 : Math.max(0, chunks.getLast().end() - from);
        chunks.add(new Chunk(from, from + stripped.length(), tokens.applyAsInt(stripped), overlap));
    }

    private List<Unit> units(String text) {
        List<Unit> units = new ArrayList<>();
        int at = 0;
        for (Blocks.Range block : Blocks.of(text)) {
            addProse(text, at, block.start(), units);
            units.add(new Unit(block.start(), block.end(), tokens(text, block.start(), block.end()), true));
            at = block.end();
        }
        addProse(text, at, text.length(), units);
        return units;
    }

    private void addProse(String text, int start, int end, List<Unit> units) {
        for (Sentences.Span sentence : Sentences.spans(text, start, end)) {
            addCut(text, sentence.start(), sentence.end(), sentence.endsParagraph(), units);
        }
    }

    /// A stretch as it is if it fits a chunk, else its halves.
    private void addCut(String text, int start, int end, boolean endsParagraph, List<Unit> units) {
        int size = tokens(text, start, end);
        int middle = size <= chunkTokens ? start : middle(text, start, end);
        if (middle <= start || middle >= end) {
            units.add(new Unit(start, end, size, endsParagraph));
            return;
        }
        addCut(text, start, middle, false, units);
        addCut(text, middle, end, endsParagraph, units);
    }

    /// The end of the white space nearest to the middle, or the middle where there is none; never within a
    /// surrogate pair.
    private static int middle(String text, int start, int end) {
        int centre = (start + end) >>> 1;
        for (int away = 0; away < (end - start) / 2; away++) {
            if (isCut(text, centre + away, start, end)) {
                return centre + away;
            }
            if (isCut(text, centre - away, start, end)) {
                return centre - away;
            }
        }
        return Character.isLowSurrogate(text.charAt(centre)) ? centre - 1 : centre;
    }

    private static boolean isCut(String text, int at, int start, int end) {
        return at > start
                && at < end
                && Character.isWhitespace(text.charAt(at - 1))
                && !Character.isWhitespace(text.charAt(at));
    }
}
