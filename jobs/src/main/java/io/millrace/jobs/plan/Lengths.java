package io.millrace.jobs.plan;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// How long texts are, in tokens: of all rows, or of a sample and then with its error.
///
/// @param all rows that the looked at ones stand for
/// @param sorted tokens of the rows looked at, least first
record Lengths(long all, List<Integer> sorted) {
    /// Of a normal distribution, the deviations within which 95 % lie.
    static final double TWO_SIDED_95 = 1.96;

    /// A range of lengths.
    ///
    /// @param from first length
    /// @param to last length
    /// @param rows looked at that have such a length
    record Bucket(int from, int to, long rows) {}

    static Lengths of(long all, int[] tokens) {
        int[] sorted = tokens.clone();
        Arrays.sort(sorted);
        return new Lengths(all, Arrays.stream(sorted).boxed().toList());
    }

    boolean isExact() {
        return sorted.size() >= all;
    }

    long sum() {
        return sorted.stream().mapToLong(Integer::longValue).sum();
    }

    double mean() {
        return sorted.isEmpty() ? 0 : (double) sum() / sorted.size();
    }

    /// Half the width of the interval in which the mean of all rows lies with 95 % probability; 0 if all
    /// were looked at. Without replacement, hence less the more of them were.
    double meanError() {
        int n = sorted.size();
        if (isExact() || n < 2) {
            return 0;
        }
        double mean = mean();
        double squares =
                sorted.stream().mapToDouble(x -> (x - mean) * (x - mean)).sum();
        double unseen = 1 - (double) n / all;
        return TWO_SIDED_95 * Math.sqrt(squares / (n - 1) / n * unseen);
    }

    /// The least length that so many rows do not exceed.
    ///
    /// @param share in (0, 1]
    int quantile(double share) {
        return sorted.isEmpty() ? 0 : sorted.get((int) Math.max(0, Math.ceil(share * sorted.size()) - 1));
    }

    /// Ranges that double, from the shortest row to the longest.
    List<Bucket> histogram() {
        List<Bucket> buckets = new ArrayList<>();
        int at = 0;
        while (at < sorted.size()) {
            // 0, 1, 2, 3..4, 5..8, 9..16 and so on
            int length = sorted.get(at);
            int to = length <= 1 ? length : Math.max(length, Integer.highestOneBit(length - 1) << 1);
            int from = to <= 2 ? to : to / 2 + 1;
            int end = at;
            while (end < sorted.size() && sorted.get(end) <= to) {
                end++;
            }
            buckets.add(new Bucket(from, to, end - at));
            at = end;
        }
        return buckets;
    }

    ObjectNode toJson() {
        ObjectNode json = new ObjectMapper().createObjectNode();
        json.put("rows", all).put("looked_at", sorted.size()).put("exact", isExact());
        json.put("mean", mean()).put("mean_error_95", meanError());
        json.put("least", quantile(0.000_001)).put("median", quantile(0.5)).put("p90", quantile(0.9));
        json.put("p99", quantile(0.99)).put("most", quantile(1));
        ArrayNode buckets = json.putArray("histogram");
        for (Bucket bucket : histogram()) {
            buckets.addObject()
                    .put("from", bucket.from())
                    .put("to", bucket.to())
                    .put("rows", bucket.rows());
        }
        return json;
    }
}
