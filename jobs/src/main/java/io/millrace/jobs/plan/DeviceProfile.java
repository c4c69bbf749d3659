package io.millrace.jobs.plan;

import io.millrace.jobs.ConfigException;
import io.millrace.jobs.Settings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// How fast one engine is with a model, known beforehand: measured elsewhere, or published. A YAML file, in
/// place of a calibration.
///
/// @param name of device and model
/// @param source where the figures are from
/// @param promptTokensPerSecond of one engine, whatever cards it has, when it does nothing else
/// @param completionTokensPerSecond of its full batch together
/// @param startSeconds until it answers
/// @param deviceMemoryBytes of one card; 0 if it is not told
record DeviceProfile(
        String name,
        String source,
        double promptTokensPerSecond,
        double completionTokensPerSecond,
        double startSeconds,
        long deviceMemoryBytes) {
    private static final List<String> KEYS = List.of(
            "name",
            "source",
            "prompt-tokens-per-second",
            "completion-tokens-per-second",
            "start-seconds",
            "device-memory-bytes");

    /// @throws ConfigException if it is unreadable, or says something else
    static DeviceProfile read(Path file) {
        Map<String, List<String>> values = Settings.ofYaml(file).values();
        List<String> problems = new ArrayList<>();
        for (String key : new TreeSet<>(values.keySet())) {
            if (!KEYS.contains(key)) {
                problems.add(file + ": " + key + ": expected one of " + KEYS);
            }
        }
        DeviceProfile profile = new DeviceProfile(
                word(values, "name", file.toString()),
                word(values, "source", "not told"),
                number(values, "prompt-tokens-per-second", null, file, problems),
                number(values, "completion-tokens-per-second", null, file, problems),
                number(values, "start-seconds", 0.0, file, problems),
                (long) number(values, "device-memory-bytes", 0.0, file, problems));
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
        return profile;
    }

    /// @param engines that share the work
    double seconds(long promptTokens, long completionTokens, int engines) {
        return startSeconds
                + (promptTokens / promptTokensPerSecond + completionTokens / completionTokensPerSecond) / engines;
    }

    private static String word(Map<String, List<String>> values, String key, String otherwise) {
        return String.join(" ", values.getOrDefault(key, List.of(otherwise)));
    }

    private static double number(
            Map<String, List<String>> values,
            String key,
            @Nullable Double otherwise,
            Path file,
            List<String> problems) {
        String text = word(values, key, otherwise == null ? "nothing" : otherwise.toString());
        boolean mayBeZero = otherwise != null;
        try {
            double number = Double.parseDouble(text);
            if (Double.isFinite(number) && (number > 0 || (mayBeZero && number == 0))) {
                return number;
            }
        } catch (NumberFormatException _) {
            // said below
        }
        problems.add(file + ": " + key + ": expected a number " + (mayBeZero ? ">= 0" : "> 0") + ", got " + text);
        return 1;
    }
}
