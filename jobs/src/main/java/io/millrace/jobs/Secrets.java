package io.millrace.jobs;

import java.util.regex.Pattern;

/// Keeps passwords out of what is written beside an output. What counts as one is what Spark takes for one.
final class Secrets {
    private static final String HIDDEN = "*********(redacted)";
    private static final Pattern KEY = Pattern.compile("(?i)secret|password|token|access[.]?key");

    private Secrets() {}

    /// The value of a key of Spark's as it may be shown.
    static String shown(String key, String value) {
        return KEY.matcher(key).find() ? HIDDEN : value;
    }

    /// An argument of the command line as it may be shown: of `spark.*=...` perhaps only the key.
    static String shown(String argument) {
        int end = argument.indexOf('=');
        return argument.startsWith("spark.") && end > 0
                ? argument.substring(0, end + 1) + shown(argument.substring(0, end), argument.substring(end + 1))
                : argument;
    }
}
