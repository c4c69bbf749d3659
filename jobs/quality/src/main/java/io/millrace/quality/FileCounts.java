package io.millrace.quality;

import io.millrace.quality.Verdict.RuleResult;
import io.millrace.quality.Verdict.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;

/// Rows of the output by input file, against the plan. Both sides are walked: a planned file without rows
/// and rows of a file that was not planned are faults alike.
final class FileCounts {

    private static final int SHOWN = 10;

    private FileCounts() {}

    static RuleResult judge(Rule rule, Dataset<Row> flat, Map<String, Long> planned) {
        if (planned.isEmpty()) {
            return result(rule, Status.NOT_JUDGED, rule.words(), null, "planned rows by file were not given");
        }
        Map<String, Long> found = count(flat);
        TreeSet<String> files = new TreeSet<>(planned.keySet());
        files.addAll(found.keySet());
        List<String> faults = new ArrayList<>();
        for (String file : files) {
            Long expected = planned.get(file);
            long got = found.getOrDefault(file, 0L);
            if (expected == null) {
                faults.add(file + ": not planned, got " + got + " rows");
            } else if (expected != got) {
                faults.add(file + ": expected " + expected + " rows, got " + got);
            }
        }
        long total = planned.values().stream().mapToLong(Long::longValue).sum();
        String words = rule.words() + " (" + planned.size() + " files, " + total + " rows)";
        if (faults.isEmpty()) {
            return result(rule, Status.PASS, words, 0.0, "");
        }
        return result(rule, Status.FAIL, words, (double) faults.size(), message(faults));
    }

    /// Rows by file; a row without a file counts under an empty name.
    private static Map<String, Long> count(Dataset<Row> flat) {
        Map<String, Long> counts = new TreeMap<>();
        Dataset<Row> grouped =
                flat.groupBy(Expectation.RowsPerInputFile.FILE_COLUMN).count();
        for (Row row : grouped.collectAsList()) {
            counts.merge(row.isNullAt(0) ? "" : row.getString(0), row.getLong(1), Long::sum);
        }
        return counts;
    }

    private static String message(List<String> faults) {
        String shown = String.join("; ", faults.subList(0, Math.min(SHOWN, faults.size())));
        int more = faults.size() - SHOWN;
        return faults.size() + " file(s) with a wrong count: " + shown + (more > 0 ? "; and " + more + " more" : "");
    }

    private static RuleResult result(Rule rule, Status status, String words, @Nullable Double actual, String message) {
        return new RuleResult(
                rule.name(), rule.level(), rule.description(), status, words, actual, message, null, List.of());
    }
}
