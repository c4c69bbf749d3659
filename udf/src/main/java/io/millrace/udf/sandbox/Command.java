package io.millrace.udf.sandbox;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// A command line to be run.
///
/// @param words program and arguments; a program without a slash is looked for in `PATH`
/// @param directory in the sandbox where it runs
/// @param environment all of it; where they are missing, `PATH`, `HOME` (`/tmp`) and `LANG` (`C.UTF-8`) are added
/// @param input what it can read from its standard input, at most 60,000 bytes of UTF-8; then that ends
public record Command(List<String> words, Path directory, Map<String, String> environment, String input) {
    private static final Map<String, String> DEFAULTS =
            Map.of("PATH", "/usr/local/bin:/usr/bin:/bin", "HOME", "/tmp", "LANG", "C.UTF-8");

    public Command {
        words = List.copyOf(words);
        Map<String, String> all = new TreeMap<>(DEFAULTS);
        all.putAll(environment);
        environment = Map.copyOf(all);
        if (words.isEmpty() || words.getFirst().contains("=")) {
            throw new IllegalArgumentException("command: expected a program without =, got " + words);
        }
    }

    /// Without input, in the default environment.
    public static Command of(Path directory, String... words) {
        return new Command(List.of(words), directory, Map.of(), "");
    }

    /// A script for `bash`, in the default environment.
    public static Command bash(Path directory, String script) {
        return of(directory, "bash", "-c", script);
    }

    /// The same with something to read.
    public Command withInput(String text) {
        return new Command(words, directory, environment, text);
    }

    /// The same with a variable set.
    public Command with(String name, String value) {
        Map<String, String> more = new TreeMap<>(environment);
        more.put(name, value);
        return new Command(words, directory, more, input);
    }
}
