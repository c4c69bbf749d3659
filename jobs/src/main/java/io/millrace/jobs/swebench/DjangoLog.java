package io.millrace.jobs.swebench;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Django's runner: `test (case) ... ok`, with whatever a test prints between the dots and the word.
final class DjangoLog {
    private static final List<String> PASSED = List.of(" ... ok", " ... OK", " ...  OK");
    private static final String FIRST_MIGRATION = "Applying sites.0002_alter_domain_unique...test_no_migrations";
    private static final String VERSION = "--version is equivalent to version";
    private static final List<Pattern> INTERRUPTED = List.of(
            Pattern.compile(
                    "^(.*?)\\s\\.\\.\\.\\sTesting against Django installed in ((?s:.*?)) silenced\\)\\.\\nok$",
                    Pattern.MULTILINE),
            Pattern.compile("^(.*?)\\s\\.\\.\\.\\sInternal Server Error: /(.*)/\\nok$", Pattern.MULTILINE),
            Pattern.compile(
                    "^(.*?)\\s\\.\\.\\.\\sSystem check identified no issues \\(0 silenced\\)\\nok$",
                    Pattern.MULTILINE));

    private final Map<String, TestStatus> tests = new LinkedHashMap<>();
    private @Nullable String last;

    private DjangoLog() {}

    static Map<String, TestStatus> parse(String log) {
        DjangoLog parser = new DjangoLog();
        for (String line : log.split("\n", -1)) {
            parser.read(line.strip());
        }
        for (Pattern interrupted : INTERRUPTED) {
            Matcher found = interrupted.matcher(log);
            while (found.find()) {
                parser.tests.put(found.group(1), TestStatus.PASSED);
            }
        }
        return parser.tests;
    }

    private void read(String line) {
        if (line.contains(VERSION)) {
            tests.put(VERSION, TestStatus.PASSED);
        }
        if (line.contains(" ... ")) {
            last = before(line, " ... ");
        }
        String rest = line;
        for (String suffix : PASSED) {
            if (line.endsWith(suffix)) {
                if (line.startsWith(FIRST_MIGRATION)) {
                    rest = line.substring(line.indexOf("...") + 3).strip();
                }
                tests.put(rest.substring(0, rest.lastIndexOf(suffix)), TestStatus.PASSED);
                break;
            }
        }
        readOthers(rest);
    }

    private void readOthers(String line) {
        if (line.contains(" ... skipped")) {
            tests.put(before(line, " ... skipped"), TestStatus.SKIPPED);
        }
        if (line.endsWith(" ... FAIL")) {
            tests.put(before(line, " ... FAIL"), TestStatus.FAILED);
        }
        if (line.startsWith("FAIL:")) {
            second(line, TestStatus.FAILED);
        }
        if (line.endsWith(" ... ERROR")) {
            tests.put(before(line, " ... ERROR"), TestStatus.ERROR);
        }
        if (line.startsWith("ERROR:")) {
            second(line, TestStatus.ERROR);
        }
        // something was printed between the dots and the word
        if (line.startsWith("ok") && last != null) {
            tests.put(last, TestStatus.PASSED);
        }
    }

    private void second(String line, TestStatus status) {
        String[] words = line.split("\\s+");
        if (words.length > 1) {
            tests.put(words[1], status);
        }
    }

    private static String before(String line, String mark) {
        return line.substring(0, line.indexOf(mark));
    }
}
