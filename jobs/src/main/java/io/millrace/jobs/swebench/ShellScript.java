package io.millrace.jobs.swebench;

import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/// The scripts of an instance on a bare machine, for bash.
///
/// @param dependencies the folder of what `prime` fetched, as the script sees it
record ShellScript(Instance instance, TestEnvironment environment, Map<String, String> settings, String dependencies) {

    /// A word that the shell takes as it is.
    static String quoted(String text) {
        return "'" + text.replace("'", "'\\''") + "'";
    }

    private static String words(List<String> texts) {
        return quoted(String.join(" ", texts));
    }

    /// Sets the variables that an environment's commands may use. The names of tests are not exported:
    /// there may be more of them than a program can be given.
    String preamble() {
        StringBuilder script = new StringBuilder();
        UnifiedDiff testPatch = UnifiedDiff.of(instance.testPatch());
        script.append("TESTS=").append(words(instance.tests())).append('\n');
        script.append("TEST_CLASSES=").append(words(testClasses())).append('\n');
        script.append("TEST_FILES=").append(words(testPatch.after())).append('\n');
        script.append("export DEPENDENCIES=").append(quoted(dependencies)).append('\n');
        // Python knows a changed source by its length and its time in seconds: one that the build compiled would hide
        // a patch of the same second
        script.append("export PYTHONDONTWRITEBYTECODE=1\n");
        settings.forEach((name, value) -> script.append("export ")
                .append(name)
                .append('=')
                .append(quoted(value))
                .append('\n'));
        // in double quotes: one may build on those before
        environment
                .variables()
                .forEach((name, value) -> script.append("export ")
                        .append(name)
                        .append("=\"")
                        .append(value.replace("\\", "\\\\")
                                .replace("\"", "\\\"")
                                .replace("`", "\\`"))
                        .append("\"\n"));
        return script.toString();
    }

    private List<String> testClasses() {
        TreeSet<String> classes = new TreeSet<>();
        for (String test : instance.tests()) {
            int method = test.indexOf('#');
            if (method > 0) {
                classes.add(test.substring(0, method));
            }
        }
        return List.copyOf(classes);
    }

    /// Commands that must all succeed.
    String commands(List<String> commands) {
        return "exec 2>&1\nset -e\n" + preamble() + "set -x\n" + String.join("\n", commands) + "\n";
    }

    /// Applies the test patch and runs the tests, as the official scripts do: the test files are those
    /// of the dataset whatever the prediction made of them, and marks say where the output of the tests
    /// is and how they ended.
    String eval() {
        UnifiedDiff testPatch = UnifiedDiff.of(instance.testPatch());
        StringBuilder script = new StringBuilder("#!/bin/bash\nexec 2>&1\n");
        script.append(preamble());
        script.append("set -uxo pipefail\n");
        if (!testPatch.before().isEmpty()) {
            script.append("git checkout ").append(instance.baseCommit()).append(" --");
            testPatch.before().forEach(file -> script.append(' ').append(quoted(file)));
            script.append('\n');
        }
        if (!testPatch.created().isEmpty()) {
            script.append("rm -rf --");
            testPatch.created().forEach(file -> script.append(' ').append(quoted(file)));
            script.append('\n');
        }
        if (!instance.testPatch().isEmpty()) {
            String patch = instance.testPatch().endsWith("\n") ? instance.testPatch() : instance.testPatch() + "\n";
            script.append("git apply --verbose - <<'EOF_TEST_PATCH' || { echo '" + TestLog.NOT_RESET + "'; exit 1; }\n"
                    + patch + "EOF_TEST_PATCH\n");
        }
        script.append("SWEBENCH_TEST_EXIT_CODE=0\n");
        script.append(": '" + TestLog.START + "'\n");
        for (String command : environment.test()) {
            script.append(command).append(" || SWEBENCH_TEST_EXIT_CODE=$?\n");
        }
        appendReports(script);
        script.append(": '" + TestLog.END + "'\n");
        script.append(": \"" + TestLog.EXIT_CODE + ": $SWEBENCH_TEST_EXIT_CODE\"\n");
        return script.toString();
    }

    /// Printed inside the sandbox: a report may be a link to what is not the patch's to read.
    private void appendReports(StringBuilder script) {
        if (!environment.reports().isEmpty()) {
            script.append("{ set +x; } 2> /dev/null\n");
            script.append("for report in ")
                    .append(String.join(" ", environment.reports()))
                    .append("; do\n");
            script.append("    if [ -f \"$report\" ]; then cat \"$report\"; echo; fi\n");
            script.append("done\n");
            script.append("set -x\n");
        }
    }
}
