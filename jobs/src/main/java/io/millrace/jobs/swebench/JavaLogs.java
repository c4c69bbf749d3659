package io.millrace.jobs.swebench;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What Java's build tools print.
final class JavaLogs {
    private static final Pattern MAVEN_TEST = Pattern.compile(".*-Dtest=(\\S+).*");
    private static final Pattern MAVEN_RESULT = Pattern.compile(".*BUILD (SUCCESS|FAILURE)");
    private static final Pattern ANT = Pattern.compile("\\[junit\\]\\s+\\[(PASS|FAIL|ERR)\\]\\s+(.*)");
    private static final Pattern GRADLE = Pattern.compile("([^>].+)\\s+(PASSED|FAILED)");
    private static final Pattern GRADLE_TEST = Pattern.compile("([^>]\\S*\\s+>\\s+\\S+)");
    private static final Pattern STATUS = Pattern.compile("PASSED|FAILED");

    private JavaLogs() {}

    /// Maven does not name tests that pass: each is run by a command of its own, which the shell's
    /// trace shows, and the build's result is the test's. Results come in the order of the commands,
    /// though not always after each.
    static Map<String, TestStatus> maven(String log) {
        Map<String, TestStatus> tests = new LinkedHashMap<>();
        Deque<String> commands = new ArrayDeque<>();
        Deque<TestStatus> early = new ArrayDeque<>();
        log.lines().map(String::strip).forEach(line -> {
            Matcher test = MAVEN_TEST.matcher(line);
            if (test.matches()) {
                commands.add(test.group(1));
            }
            Matcher result = MAVEN_RESULT.matcher(line);
            if (result.matches()) {
                TestStatus status = result.group(1).equals("SUCCESS") ? TestStatus.PASSED : TestStatus.FAILED;
                String command = commands.poll();
                if (command == null) {
                    early.add(status);
                } else {
                    tests.put(command, status);
                }
            }
        });
        while (!commands.isEmpty() && !early.isEmpty()) {
            tests.put(commands.remove(), early.remove());
        }
        return tests;
    }

    static Map<String, TestStatus> ant(String log) {
        Map<String, TestStatus> tests = new LinkedHashMap<>();
        log.lines()
                .map(line -> ANT.matcher(line.strip()))
                .filter(Matcher::matches)
                .forEach(found -> tests.put(
                        found.group(2), found.group(1).equals("PASS") ? TestStatus.PASSED : TestStatus.FAILED));
        return tests;
    }

    /// `Class > test PASSED`; something else may be printed before the status, which is alone in its
    /// line then.
    static Map<String, TestStatus> gradle(String log) {
        Map<String, TestStatus> tests = new LinkedHashMap<>();
        @Nullable String pending = null;
        for (String raw : log.split("\n", -1)) {
            String line = raw.strip();
            Matcher both = GRADLE.matcher(line);
            Matcher test = GRADLE_TEST.matcher(line);
            if (both.matches()) {
                tests.put(both.group(1), TestStatus.valueOf(both.group(2)));
                pending = null;
            } else if (test.matches()) {
                pending = test.group(1);
            } else if (pending != null && STATUS.matcher(line).matches()) {
                tests.put(pending, TestStatus.valueOf(line));
                pending = null;
            }
        }
        return tests;
    }
}
