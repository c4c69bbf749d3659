package io.millrace.jobs.swebench;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// SymPy's own runner: `test_name ok`, or `F` or `E` instead of `ok`, and a ruled heading for each failure.
final class SympyLog {
    private static final Pattern HEADING = Pattern.compile("(_*) (.*)\\.py:(.*) (_*)");

    private SympyLog() {}

    static Map<String, TestStatus> parse(String log) {
        Map<String, TestStatus> tests = new LinkedHashMap<>();
        Matcher heading = HEADING.matcher(log);
        while (heading.find()) {
            tests.put(heading.group(2) + ".py:" + heading.group(3), TestStatus.FAILED);
        }
        log.lines().map(String::strip).filter(line -> line.startsWith("test_")).forEach(line -> {
            String name = line.split("\\s+", 2)[0];
            if (line.endsWith(" E")) {
                tests.put(name, TestStatus.ERROR);
            } else if (line.endsWith(" F")) {
                tests.put(name, TestStatus.FAILED);
            } else if (line.endsWith(" ok")) {
                tests.put(name, TestStatus.PASSED);
            }
        });
        return tests;
    }
}
