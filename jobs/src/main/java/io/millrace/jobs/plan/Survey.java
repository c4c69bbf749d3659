package io.millrace.jobs.plan;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// What the rows of a run are, from all of them or from a sample.
///
/// @param rows input rows of the run
/// @param looked those that were encoded
record Survey(long rows, List<EncodedRow> looked) {
    private static final int EXAMPLES = 3;

    Survey {
        looked = List.copyOf(looked);
    }

    boolean isExact() {
        return looked.size() >= rows;
    }

    /// Rows that an engine will compute.
    List<EncodedRow> ready() {
        return looked.stream().filter(row -> !row.isRefused()).toList();
    }

    List<EncodedRow> overlong() {
        return looked.stream().filter(EncodedRow::overlong).toList();
    }

    /// Rows that will be error rows, by code.
    Map<String, List<EncodedRow>> refused() {
        return looked.stream()
                .filter(EncodedRow::isRefused)
                .collect(Collectors.groupingBy(row -> String.valueOf(row.code()), TreeMap::new, Collectors.toList()));
    }

    /// Whether a tokenizer counted, not the characters.
    boolean isCounted() {
        return looked.stream().allMatch(EncodedRow::isCounted);
    }

    /// A number of rows looked at, as one of all rows.
    long ofAll(long count) {
        return looked.isEmpty() ? 0 : Math.round((double) count * rows / looked.size());
    }

    /// Rows that an engine will compute, of all.
    long readyRows() {
        return ofAll(ready().size());
    }

    /// Answers that they ask for.
    long answers() {
        return ofAll(ready().stream().mapToLong(EncodedRow::samples).sum());
    }

    Lengths promptLengths() {
        return Lengths.of(
                readyRows(), ready().stream().mapToInt(EncodedRow::promptTokens).toArray());
    }

    /// Tokens of the prompts of all answers.
    long promptTokens() {
        return ofAll(ready().stream()
                .mapToLong(row -> (long) row.samples() * row.promptTokens())
                .sum());
    }

    /// Tokens of continuations to score.
    long scoredTokens() {
        return ofAll(ready().stream().mapToLong(EncodedRow::scoredTokens).sum());
    }

    /// Answers that are written, not scored.
    long written() {
        return ofAll(ready().stream()
                .filter(row -> row.maxTokens() > 0)
                .mapToLong(EncodedRow::samples)
                .sum());
    }

    /// Mean over the answers that are written.
    double meanMaxTokens() {
        return ready().stream()
                .filter(row -> row.maxTokens() > 0)
                .mapToInt(EncodedRow::maxTokens)
                .average()
                .orElse(0);
    }

    /// Mean length of an answer that is as long as its reference and ends, cut where answers are cut; null
    /// unless every row that is written has a reference.
    @Nullable
    Double meanReferenceTokens() {
        List<EncodedRow> written =
                ready().stream().filter(row -> row.maxTokens() > 0).toList();
        boolean all = !written.isEmpty() && written.stream().allMatch(row -> row.referenceTokens() >= 0);
        return all
                ? written.stream()
                        .mapToInt(row -> Math.min(row.referenceTokens() + 1, row.maxTokens()))
                        .average()
                        .orElseThrow()
                : null;
    }

    static List<EncodedRow> examples(List<EncodedRow> rows) {
        return rows.subList(0, Math.min(EXAMPLES, rows.size()));
    }

    /// Rows of each kind, with examples.
    ObjectNode toJson(String overlongPolicy) {
        ObjectNode json = new ObjectMapper().createObjectNode();
        json.put("rows", rows).put("looked_at", looked.size()).put("exact", isExact());
        json.put("tokens_counted", isCounted());
        ObjectNode overlong = json.putObject("overlong");
        overlong.put("rows", ofAll(overlong().size())).put("policy", overlongPolicy);
        ArrayNode places = overlong.putArray("examples");
        examples(overlong()).forEach(row -> places.add(row.place()));
        ArrayNode invalid = json.putArray("invalid");
        refused().forEach((code, rows) -> {
            ObjectNode entry = invalid.addObject();
            entry.put("code", code).put("rows", ofAll(rows.size()));
            ArrayNode examples = entry.putArray("examples");
            examples(rows).forEach(row -> examples.add(row.message()));
        });
        return json;
    }
}
