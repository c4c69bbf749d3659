package io.millrace.jobs.swebench;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The summary lines of pytest: `PASSED path::test`, in the dialects that the datasets tell apart.
final class PytestLog {
    private static final Pattern SPACE = Pattern.compile("\\s+");
    private static final Pattern COUNT = Pattern.compile("\\[\\d+\\]");
    private static final Pattern OPTION = Pattern.compile("(.*?)\\[(.*)\\].*");
    private static final Pattern COLOUR = Pattern.compile("\\[(\\d+)m");
    private static final Pattern CONTROL = Pattern.compile("[\\x01-\\x1f]");

    private PytestLog() {}

    static Map<String, TestStatus> plain(String log) {
        return secondWords(log, UnaryOperator.identity(), UnaryOperator.identity());
    }

    /// Parameters that are absolute paths count by their last part, as they differ between machines.
    static Map<String, TestStatus> shortOptions(String log) {
        return secondWords(log, UnaryOperator.identity(), PytestLog::withShortOption);
    }

    static Map<String, TestStatus> mouseButtons(String log) {
        return secondWords(
                log,
                line -> line.replace("MouseButton.LEFT", "1").replace("MouseButton.RIGHT", "3"),
                UnaryOperator.identity());
    }

    private static Map<String, TestStatus> secondWords(
            String log, UnaryOperator<String> prepare, UnaryOperator<String> name) {
        Map<String, TestStatus> tests = new LinkedHashMap<>();
        for (String raw : lines(log)) {
            String line = prepare.apply(raw);
            if (leading(line) == null) {
                continue;
            }
            List<String> words = words(line.startsWith("FAILED") ? line.replace(" - ", " ") : line);
            TestStatus status = named(words.getFirst());
            if (words.size() > 1 && status != null && !isSkipCount(words)) {
                tests.put(name.apply(words.get(1)), status);
            }
        }
        return tests;
    }

    private static String withShortOption(String test) {
        Matcher option = OPTION.matcher(test);
        if (!option.matches()) {
            return test;
        }
        String value = option.group(2);
        if (value.startsWith("/") && !value.startsWith("//") && !value.contains("*")) {
            value = "/" + value.substring(value.lastIndexOf('/') + 1);
        }
        return option.group(1) + "[" + value + "]";
    }

    /// Names with spaces, colours, and the status at the line's end as older versions have it.
    static Map<String, TestStatus> spacedNames(String log) {
        Map<String, TestStatus> tests = new LinkedHashMap<>();
        for (String raw : lines(log)) {
            String line = CONTROL.matcher(COLOUR.matcher(raw).replaceAll("")).replaceAll("");
            if (leading(line) != null) {
                int reason = line.startsWith("FAILED") ? line.indexOf(" - ") : -1;
                List<String> words = words(reason < 0 ? line : line.substring(0, reason));
                TestStatus status = named(words.getFirst());
                if (words.size() > 1 && status != null && !isSkipCount(words)) {
                    tests.put(String.join(" ", words.subList(1, words.size())), status);
                }
            } else if (Arrays.stream(TestStatus.values()).anyMatch(status -> line.endsWith(status.name()))) {
                List<String> words = words(line);
                TestStatus status = named(words.getLast());
                if (words.size() > 1 && status != null) {
                    tests.put(String.join(" ", words.subList(0, words.size() - 1)), status);
                }
            }
        }
        return tests;
    }

    /// Progress lines with the status as second word.
    static Map<String, TestStatus> statusInside(String log) {
        Map<String, TestStatus> tests = new LinkedHashMap<>();
        for (String line : lines(log)) {
            List<String> words = words(line);
            if (words.size() < 2) {
                continue;
            }
            if (line.startsWith("FAILED")) {
                tests.put(words.get(1), TestStatus.FAILED);
            } else if (line.contains(" PASSED ")) {
                if (words.get(1).equals("PASSED")) {
                    tests.put(words.getFirst(), TestStatus.PASSED);
                }
            } else if (line.startsWith("PASSED")) {
                tests.put(words.get(1), TestStatus.PASSED);
            }
        }
        return tests;
    }

    /// `SKIPPED [3] path:7: reason` counts tests and names none.
    private static boolean isSkipCount(List<String> words) {
        return words.getFirst().equals("SKIPPED") && COUNT.matcher(words.get(1)).matches();
    }

    private static @Nullable TestStatus leading(String line) {
        return Arrays.stream(TestStatus.values())
                .filter(status -> line.startsWith(status.name()))
                .findFirst()
                .orElse(null);
    }

    private static @Nullable TestStatus named(String word) {
        return Arrays.stream(TestStatus.values())
                .filter(status -> status.name().equals(word))
                .findFirst()
                .orElse(null);
    }

    private static List<String> words(String line) {
        return SPACE.splitAsStream(line.strip()).toList();
    }

    private static String[] lines(String log) {
        return log.split("\n", -1);
    }
}
