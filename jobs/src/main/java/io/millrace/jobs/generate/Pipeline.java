package io.millrace.jobs.generate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.millrace.jobs.ConfigException;
import io.millrace.jobs.Settings;
import io.millrace.udf.Utf8;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// A pipeline file, read and checked as a whole.
///
/// @param seed of everything that is chosen by chance
/// @param settings keys of the configuration, for all steps that ask a model
/// @param source the file's text
record Pipeline(String name, long seed, Settings settings, List<NamedStep> steps, HubLayout dataset, String source) {

    /// A step as the file has it.
    ///
    /// @param parameters its mapping without name and settings
    /// @param settings keys of the configuration, for this step
    record NamedStep(String name, String kind, JsonNode parameters, Settings settings, Step step) {}

    Pipeline {
        steps = List.copyOf(steps);
    }

    /// @throws ConfigException with everything that is wrong
    static Pipeline read(Path file) {
        try {
            byte[] bytes = Files.readAllBytes(file);
            String text = Utf8.text(bytes);
            if (text == null) {
                throw new ConfigException(List.of(file + ": " + Utf8.complaint(bytes)));
            }
            return parse(file.toString(), text);
        } catch (IOException e) {
            throw new ConfigException(List.of(file + ": expected readable YAML, got " + e.getMessage()));
        }
    }

    /// @param place name of the text, for messages
    static Pipeline parse(String place, String text) {
        List<String> problems = new ArrayList<>();
        Parameters root = new Parameters(place, tree(place, text), problems);
        String name = root.text("name");
        long seed = root.whole("seed", 0, Long.MIN_VALUE);
        Settings settings = settings(place + " settings", root.below("settings"));
        List<NamedStep> steps = steps(place, root, problems);
        HubLayout dataset = HubLayout.read(root.below("dataset"));
        root.refuseUnknown();
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
        return new Pipeline(name, seed, settings, steps, dataset, text);
    }

    private static JsonNode tree(String place, String text) {
        try {
            return new ObjectMapper(new YAMLFactory()).readTree(text);
        } catch (JsonProcessingException e) {
            throw new ConfigException(List.of(place + ": expected YAML, got " + e.getOriginalMessage()));
        }
    }

    private static List<NamedStep> steps(String place, Parameters root, List<String> problems) {
        List<NamedStep> steps = new ArrayList<>();
        Set<String> names = new LinkedHashSet<>();
        for (Parameters item : root.list("steps")) {
            Map<String, JsonNode> entries = item.entries();
            String at = place + ".steps[" + steps.size() + "]";
            if (entries.size() != 1) {
                problems.add(at + ": expected one kind of step with its mapping, got " + entries.keySet());
                continue;
            }
            NamedStep step = step(
                    at,
                    entries.keySet().iterator().next(),
                    entries.values().iterator().next(),
                    problems);
            if (steps.isEmpty() && !step.step().makesRows()) {
                problems.add(at + ": expected the first step to make rows (seeds, magpie), got " + step.kind());
            }
            if (!names.add(step.name())) {
                problems.add(at + ": expected a name that no step before has, got " + step.name());
            }
            steps.add(step);
        }
        if (steps.isEmpty()) {
            problems.add(place + ".steps: expected at least one step, got none");
        }
        return steps;
    }

    private static NamedStep step(String at, String kind, JsonNode mapping, List<String> problems) {
        Parameters parameters = new Parameters(at + "." + kind, mapping, problems);
        String name = parameters.text("name", kind);
        if (!name.matches("[a-z0-9][a-z0-9-]*")) {
            parameters.wrong("name", "lower-case letters, digits and hyphens", name);
        }
        Settings settings = settings(at + "." + kind + " settings", parameters.below("settings"));
        Step step = Steps.read(kind, name, parameters);
        if (!step.infers() && !settings.values().isEmpty()) {
            parameters.wrong(
                    "settings",
                    "none, since no model is asked",
                    settings.values().keySet());
        }
        parameters.refuseUnknown();
        ObjectNode own = mapping.isObject() ? mapping.deepCopy() : new ObjectMapper().createObjectNode();
        own.remove(List.of("name", "settings"));
        return new NamedStep(name, kind, own, settings, step);
    }

    /// Nested groups and dotted keys are the same, as in a `--config` file.
    private static Settings settings(String name, Parameters parameters) {
        Map<String, List<String>> values = new LinkedHashMap<>();
        flatten("", parameters.entries(), values);
        return new Settings(name, values);
    }

    private static void flatten(String prefix, Map<String, JsonNode> entries, Map<String, List<String>> into) {
        entries.forEach((key, value) -> {
            if (value.isObject()) {
                Map<String, JsonNode> below = new LinkedHashMap<>();
                value.properties().forEach(entry -> below.put(entry.getKey(), entry.getValue()));
                flatten(prefix + key + ".", below, into);
            } else if (value.isArray()) {
                List<String> items = new ArrayList<>();
                value.forEach(item -> items.add(item.asText()));
                into.put(prefix + key, items);
            } else if (!value.isNull()) {
                into.put(prefix + key, List.of(value.asText()));
            }
        });
    }
}
