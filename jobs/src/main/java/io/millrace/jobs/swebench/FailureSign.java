package io.millrace.jobs.swebench;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/// A sign in a log that the environment may have failed and not the patch. Signs are advice: they never
/// change what an instance counts as, nor how many count.
///
/// @param reason the official word for it
/// @param environment whether no patch can be the cause; else it may be either
record FailureSign(String reason, boolean environment) {

    private record Known(FailureSign sign, Pattern pattern) {
        private Known(String reason, boolean environment, String pattern) {
            this(new FailureSign(reason, environment), Pattern.compile(pattern, Pattern.MULTILINE));
        }
    }

    /// Those of the official harness; the first that is found counts.
    private static final List<Known> KNOWN = List.of(
            new Known("browser_launch_failed", true, "Failed to launch|Failed to connect to the bus"),
            new Known("display_unavailable", true, "cannot open display|Missing X server|unable to open X display"),
            new Known("out_of_memory", true, "Cannot allocate memory|OutOfMemoryError|^Killed$"),
            new Known("container_unavailable", true, "Error response from daemon|Cannot connect to the Docker daemon"),
            new Known("network_unreachable", true, "Could not resolve host|Temporary failure in name resolution"),
            new Known("missing_module", false, "Cannot find module|MODULE_NOT_FOUND|ModuleNotFoundError"),
            new Known("no_tests_collected", false, "no tests ran|collected 0 items"),
            new Known("tests_timed_out", false, "Timeout error: \\d+ seconds exceeded"));

    static Optional<FailureSign> in(String log) {
        return KNOWN.stream()
                .filter(known -> known.pattern().matcher(log).find())
                .map(Known::sign)
                .findFirst();
    }
}
