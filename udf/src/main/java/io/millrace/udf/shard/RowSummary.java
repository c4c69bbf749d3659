package io.millrace.udf.shard;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/// What a set of committed rows is, in sums that can be added: of one shard, of one input file, of a run.
///
/// @param states status to rows
/// @param errors error code to rows
/// @param retried rows that were computed again because the gate had quarantined them
/// @param retriedOk those of them that have an answer
/// @param scored rows that have a reference and an answer
/// @param rouge1 sum of the scored rows' ROUGE-1; likewise the other two
/// @param engine fields of the column `engine` of one of the rows
/// @param digest see {@link RowDigest}
public record RowSummary(
        long rows,
        Map<String, Long> states,
        Map<String, Long> errors,
        long retried,
        long retriedOk,
        long promptTokens,
        long cachedTokens,
        long completionTokens,
        long reasoningTokens,
        long scored,
        double rouge1,
        double rouge2,
        double rougeL,
        Map<String, String> engine,
        String digest) {

    /// Of no rows.
    public static final RowSummary NONE =
            new RowSummary(0, Map.of(), Map.of(), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, Map.of(), "0".repeat(64));

    private static final ObjectMapper JSON = new ObjectMapper();

    /// Of both sets together.
    public RowSummary plus(RowSummary other) {
        return new RowSummary(
                rows + other.rows,
                sums(states, other.states),
                sums(errors, other.errors),
                retried + other.retried,
                retriedOk + other.retriedOk,
                promptTokens + other.promptTokens,
                cachedTokens + other.cachedTokens,
                completionTokens + other.completionTokens,
                reasoningTokens + other.reasoningTokens,
                scored + other.scored,
                rouge1 + other.rouge1,
                rouge2 + other.rouge2,
                rougeL + other.rougeL,
                engine.isEmpty() ? other.engine : engine,
                RowDigest.sum(digest, other.digest));
    }

    private static Map<String, Long> sums(Map<String, Long> a, Map<String, Long> b) {
        Map<String, Long> sums = new TreeMap<>(a);
        b.forEach((key, rows) -> sums.merge(key, rows, Long::sum));
        return sums;
    }

    /// Rows of a status.
    public long state(String status) {
        return states.getOrDefault(status, 0L);
    }

    /// As JSON with the components' names.
    public String toJson() {
        try {
            return JSON.writeValueAsString(this);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("strings and numbers can always be written", e);
        }
    }

    /// @throws IllegalArgumentException if it is not what {@link #toJson} writes
    public static RowSummary ofJson(String json) {
        try {
            return JSON.readValue(json, RowSummary.class);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("rows' summary: expected its JSON, got " + json, e);
        }
    }

    public RowSummary {
        states = Map.copyOf(states);
        errors = Map.copyOf(errors);
        engine = new LinkedHashMap<>(engine);
    }
}
