package io.millrace.jobs.summarize;

import io.millrace.jobs.summarize.LastRequest.Source;
import io.millrace.udf.Sentences;
import io.millrace.udf.WordSegments;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// From which chunks of its document each sentence of a summary is likely to come: those that have the most
/// of its words. A word weighs ln((n + 1) / m) where m of the document's n chunks have it, so that
/// names tell more than articles; a chunk has the words of its text and those of its own summary.
///
/// This compares words. It does not know what the model looked at, and it does not say that a sentence
/// follows from its chunks, nor that it is true.
final class Provenance {
    private static final int MOST_ORIGINS = 3;
    /// Of the best chunk's share, what another must have to be named with it.
    private static final double NEARLY = 0.9;

    private final List<Source> chunks;
    private final List<Set<String>> words = new ArrayList<>();
    private final Map<String, Integer> chunksWith = new HashMap<>();

    /// @param text the document
    Provenance(String text, List<Source> chunks) {
        this.chunks = chunks;
        for (Source chunk : chunks) {
            Set<String> here = new HashSet<>(WordSegments.of(text.substring(chunk.start(), chunk.end())));
            String summary = chunk.summary();
            if (summary != null) {
                here.addAll(WordSegments.of(summary));
            }
            here.forEach(word -> chunksWith.merge(word, 1, Integer::sum));
            words.add(here);
        }
    }

    /// @param share weight of the sentence's words that the chunk has, of the weight of all of them, (0, 1]
    record Origin(int chunk, double share) {}

    /// @param start first UTF-16 unit in the summary
    /// @param origins the likeliest first; none if no chunk has a word of it
    record Sentence(int start, int end, List<Origin> origins) {}

    List<Sentence> of(String summary) {
        List<Sentence> sentences = new ArrayList<>();
        for (Sentences.Span span : Sentences.spans(summary, 0, summary.length())) {
            String sentence = summary.substring(span.start(), span.end());
            String stripped = sentence.strip();
            if (!stripped.isEmpty()) {
                int start = span.start() + sentence.indexOf(stripped);
                sentences.add(new Sentence(start, start + stripped.length(), origins(stripped)));
            }
        }
        return sentences;
    }

    private List<Origin> origins(String sentence) {
        Set<String> wanted = new HashSet<>(WordSegments.of(sentence));
        double all = wanted.stream().sorted().mapToDouble(this::weight).sum();
        List<Origin> origins = new ArrayList<>();
        for (int chunk = 0; chunk < chunks.size(); chunk++) {
            double found = wanted.stream()
                    .filter(words.get(chunk)::contains)
                    .sorted()
                    .mapToDouble(this::weight)
                    .sum();
            if (found > 0) {
                origins.add(new Origin(chunk, found / all));
            }
        }
        origins.sort(Comparator.comparingDouble(Origin::share).reversed().thenComparingInt(Origin::chunk));
        return origins.stream()
                .filter(origin -> origin.share() >= NEARLY * origins.getFirst().share())
                .limit(MOST_ORIGINS)
                .toList();
    }

    private double weight(String word) {
        return Math.log((chunks.size() + 1.0) / Math.max(1, chunksWith.getOrDefault(word, 1)));
    }
}
