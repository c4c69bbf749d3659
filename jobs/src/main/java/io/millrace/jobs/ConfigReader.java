package io.millrace.jobs;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Turns the words of merged {@link Settings} into values, and collects everything that is wrong instead of
/// stopping at the first. A value that is wrong is read as a harmless one; nobody sees it, since {@link
/// #throwIfWrong} comes last.
public final class ConfigReader {
    private static final Pattern BYTES = Pattern.compile("(\\d+)\\s*([kmgt]?)b?");

    private final Map<String, List<String>> values = new LinkedHashMap<>();
    private final Map<String, String> origins = new LinkedHashMap<>();
    private final List<String> layers;
    private final List<String> problems = new ArrayList<>();

    /// @param layers lowest precedence first
    public ConfigReader(List<Settings> layers) {
        this.layers = layers.stream().map(Settings::name).distinct().toList();
        for (Settings layer : layers) {
            layer.values().forEach((key, value) -> {
                values.put(key, value);
                origins.put(key, layer.name());
            });
        }
    }

    /// @param key whose words are to blame, to say where they stand
    public void problem(String key, String problem) {
        problems.add(problem + from(key));
    }

    public void throwIfWrong() {
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
    }

    /// Complains about keys that nobody knows; keys of Spark are Spark's affair.
    public void refuseUnknown(Iterable<String> known, Predicate<String> passedThrough) {
        List<String> names = new ArrayList<>();
        known.forEach(names::add);
        for (String key : values.keySet()) {
            if (!names.contains(key) && !passedThrough.test(key)) {
                problem(key, key + ": no such key");
            }
        }
    }

    Map<String, String> passedThrough(Predicate<String> wanted) {
        Map<String, String> found = new LinkedHashMap<>();
        values.forEach((key, value) -> {
            if (wanted.test(key)) {
                found.put(key, String.join(",", value));
            }
        });
        return found;
    }

    List<String> texts(String key) {
        return values.getOrDefault(key, List.of());
    }

    public @Nullable String optional(String key) {
        List<String> words = texts(key);
        if (words.size() > 1) {
            wrong(key, "one value", words);
        }
        return words.isEmpty() || words.getFirst().isEmpty() ? null : words.getFirst();
    }

    public String text(String key) {
        String word = optional(key);
        if (word == null) {
            problem(key, key + ": expected a value, got none");
            return "";
        }
        return word;
    }

    public boolean flag(String key) {
        return switch (text(key).toLowerCase(Locale.ROOT)) {
            case "true", "yes", "on" -> true;
            case "false", "no", "off" -> false;
            case String other -> {
                wrong(key, "true or false", other);
                yield false;
            }
        };
    }

    public int integer(String key, int least) {
        return (int) whole(key, least, Integer.MAX_VALUE);
    }

    long whole(String key, long least, long most) {
        String word = text(key);
        try {
            long value = Long.parseLong(word.strip());
            if (value >= least && value <= most) {
                return value;
            }
        } catch (NumberFormatException _) {
            // said below
        }
        wrong(key, "a whole number >= " + least, word);
        return least;
    }

    double decimal(String key, String expected, Predicate<Double> holds, double harmless) {
        String word = text(key);
        try {
            double value = Double.parseDouble(word.strip());
            if (holds.test(value)) {
                return value;
            }
        } catch (NumberFormatException _) {
            // said below
        }
        wrong(key, "a number " + expected, word);
        return harmless;
    }

    /// Bytes with an optional unit: `512m`, `4g`, `0`.
    long bytes(String key) {
        String word = text(key).strip().toLowerCase(Locale.ROOT);
        Matcher matcher = BYTES.matcher(word);
        if (!matcher.matches() || matcher.group(1).length() > 12) {
            wrong(key, "bytes such as 512m or 4g", word);
            return 0;
        }
        String unit = matcher.group(2);
        int power = unit.isEmpty() ? 0 : 1 + "kmgt".indexOf(unit);
        return Long.parseLong(matcher.group(1)) << (10 * power);
    }

    public <E extends Enum<E>> E choice(String key, E[] choices) {
        String word = switched(text(key), choices);
        List<String> names = new ArrayList<>();
        for (E choice : choices) {
            String name = choice.name().toLowerCase(Locale.ROOT).replace('_', '-');
            if (name.equals(word)) {
                return choice;
            }
            names.add(name);
        }
        wrong(key, "one of " + names, word);
        return choices[0];
    }

    /// YAML reads a bare `on` as true; where on and off are choices, they are meant.
    private static String switched(String word, Enum<?>[] choices) {
        boolean switches =
                Arrays.stream(choices).anyMatch(choice -> choice.name().equals("OFF"));
        return switch (word) {
            case "true" -> switches ? "on" : word;
            case "false" -> switches ? "off" : word;
            default -> word;
        };
    }

    public void wrong(String key, String expected, Object got) {
        problem(key, key + ": expected " + expected + ", got " + got);
    }

    /// The layer that has the key, or all of them if none has.
    private String from(String key) {
        return " (" + origins.getOrDefault(key, "not in " + layers) + ")";
    }
}
