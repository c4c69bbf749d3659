package io.millrace.jobs.swebench;

import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What a run of tests printed, with the marks that the official harness puts around it.
final class TestLog {
    static final String START = ">>>>> Start Test Output";
    static final String END = ">>>>> End Test Output";
    static final String EXIT_CODE = ">>>>> Test Exit Code";
    static final String NOT_RESET = ">>>>> Reset Failed";

    /// In a log of its own making a run that has come to one of these has come to nothing.
    private static final List<String> FAULTS =
            List.of(">>>>> Patch Apply Failed", NOT_RESET, ">>>>> Tests Errored", ">>>>> Tests Timed Out");

    private static final Pattern CODE = Pattern.compile(Pattern.quote(EXIT_CODE) + ":\\s*(-?\\d+)");

    /// That a suite has run though its log names no test: runners that only name failures. Counts are
    /// never 0, since a runner that starts nothing prints a summary, too.
    private static final Pattern SUITE_RAN = Pattern.compile(
            "Executed [1-9]\\d* of \\d+"
                    + "|TOTAL: [1-9]\\d* (?:SUCCESS|FAILED)"
                    + "|[1-9]\\d* passing"
                    + "|Tests:\\s+[1-9]\\d*"
                    + "|Test Suites:\\s+(?:\\d+ \\w+, )*[1-9]\\d* total"
                    + "|^# tests [1-9]\\d*"
                    + "|[1-9]\\d* specs?, \\d+ failures?"
                    + "|': ok$",
            Pattern.MULTILINE);

    private TestLog() {}

    /// Tests by name; null if the log does not tell of a run. It does not either if the runner failed
    /// and no test did: a patch can print lines like the runner's, but hardly change how it ends.
    static @Nullable Map<String, TestStatus> read(String log, LogParser parser) {
        if (FAULTS.stream().anyMatch(log::contains) || !log.contains(START) || !log.contains(END)) {
            return null;
        }
        Map<String, TestStatus> tests = parser.parse(between(log));
        if (tests.isEmpty()) {
            tests = parser.parse(log);
        }
        if (tests.isEmpty() && !SUITE_RAN.matcher(log).find()) {
            return null;
        }
        Matcher code = CODE.matcher(log);
        boolean failed = code.find() && !code.group(1).equals("0");
        if (failed && !tests.isEmpty() && tests.values().stream().noneMatch(TestStatus::fails)) {
            return null;
        }
        return tests;
    }

    private static String between(String log) {
        String rest = log.substring(log.indexOf(START) + START.length());
        int next = rest.indexOf(START);
        rest = next < 0 ? rest : rest.substring(0, next);
        int end = rest.indexOf(END);
        return end < 0 ? rest : rest.substring(0, end);
    }
}
