package io.millrace.quality;

import io.millrace.schemas.AuditExchange.ExitCode;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// What the auditor found. [VerdictFile] writes it down.
///
/// @param outcome pass, fail, or that none was reached
/// @param level the worst level among the rules that failed
/// @param message one line for a person; with [Outcome#ERROR] what went wrong, possibly several lines
/// @param rules one result per rule, in the order of the rules file; empty with [Outcome#ERROR]
/// @param rows rows read
/// @param quarantinedRows rows written to the quarantine
/// @param tags copied from the request
record Verdict(
        Outcome outcome,
        Level level,
        String message,
        List<RuleResult> rules,
        long rows,
        long quarantinedRows,
        Map<String, String> tags) {

    /// How an audit ends.
    public enum Outcome {
        PASS("pass", ExitCode.PASS),
        FAIL("fail", ExitCode.GATE_FAILED),
        ERROR("error", ExitCode.ERROR);

        private final String word;
        private final int exitCode;

        Outcome(String word, int exitCode) {
            this.word = word;
            this.exitCode = exitCode;
        }

        /// The word in files.
        public String word() {
            return word;
        }

        /// What the process ends with.
        public int exitCode() {
            return exitCode;
        }
    }

    /// How one rule came out.
    public enum Status {
        PASS("pass"),
        FAIL("fail"),
        /// The request lacks what the rule compares with, or no row is one the rule is about.
        NOT_JUDGED("not-judged");

        private final String word;

        Status(String word) {
            this.word = word;
        }

        /// The word in files.
        public String word() {
            return word;
        }
    }

    /// One rule, judged.
    ///
    /// @param rule as its file has it
    /// @param expected what it asks for, in words
    /// @param actual what was measured; null when there was nothing to measure
    /// @param failingRows rows that break the rule; null for a rule about the whole
    /// @param examples the first of those rows by `request_id`
    record RuleResult(
            Rule rule,
            Status status,
            String expected,
            @Nullable Double actual,
            String message,
            @Nullable Long failingRows,
            List<FailingRow> examples) {

        RuleResult {
            examples = List.copyOf(examples);
        }

        /// Of a rule that there is nothing to hold against.
        static RuleResult notJudged(Rule rule, String why) {
            return new RuleResult(rule, Status.NOT_JUDGED, rule.words(), null, why, null, List.of());
        }

        String name() {
            return rule.name();
        }

        Level level() {
            return rule.level();
        }
    }

    /// One row that breaks a rule. Fields are null where the output has no such column.
    ///
    /// @param excerpt the start of the answer, or of the error message where there is no answer
    public record FailingRow(
            @Nullable String requestId,
            @Nullable String file,
            @Nullable Integer rowGroup,
            @Nullable Long row,
            @Nullable Integer sampleIdx,
            @Nullable String status,
            @Nullable String excerpt) {}

    public Verdict {
        rules = List.copyOf(rules);
        tags = Map.copyOf(tags);
    }

    /// A verdict over judged rules: it fails exactly when a rule of level `fail-run` failed.
    static Verdict of(List<RuleResult> rules, long rows, long quarantinedRows, Map<String, String> tags) {
        Level worst = rules.stream()
                .filter(rule -> rule.status() == Status.FAIL)
                .map(RuleResult::level)
                .max(Level::compareTo)
                .orElse(Level.NONE);
        Outcome outcome = worst == Level.FAIL_RUN ? Outcome.FAIL : Outcome.PASS;
        return new Verdict(outcome, worst, summary(outcome, rules, rows), rules, rows, quarantinedRows, tags);
    }

    /// No verdict.
    static Verdict error(String message, Map<String, String> tags) {
        return new Verdict(Outcome.ERROR, Level.NONE, message, List.of(), 0, 0, tags);
    }

    private static String summary(Outcome outcome, List<RuleResult> rules, long rows) {
        StringBuilder line = new StringBuilder("gate ").append(outcome == Outcome.PASS ? "passed" : "failed");
        line.append(": ")
                .append(rules.size())
                .append(" rules over ")
                .append(rows)
                .append(" rows");
        for (Level level : List.of(Level.FAIL_RUN, Level.QUARANTINE, Level.WARN)) {
            append(line, level.word(), rules, Status.FAIL, level);
        }
        for (Level level : List.of(Level.FAIL_RUN, Level.QUARANTINE, Level.WARN)) {
            append(line, "not judged", rules, Status.NOT_JUDGED, level);
        }
        return line.toString();
    }

    private static void append(StringBuilder line, String word, List<RuleResult> rules, Status status, Level level) {
        String names = rules.stream()
                .filter(rule -> rule.status() == status && rule.level() == level)
                .map(RuleResult::name)
                .collect(Collectors.joining(", "));
        if (!names.isEmpty()) {
            line.append("; ").append(word).append(": ").append(names);
        }
    }
}
