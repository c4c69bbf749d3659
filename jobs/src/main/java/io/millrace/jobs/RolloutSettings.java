package io.millrace.jobs;

import io.millrace.udf.PromptFormat;
import io.millrace.udf.PromptTemplate;
import io.millrace.udf.agent.ActionForm;
import io.millrace.udf.agent.RolloutRecipe;
import io.millrace.udf.agent.SandboxShell;
import io.millrace.udf.sandbox.Limits;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The keys `rollout.*`: how a row is a conversation with tools.
final class RolloutSettings {
    /// Every key with its default; null where there is none. Without a folder for logs, rows are prompts.
    static final Map<String, @Nullable String> DEFAULTS = defaults();

    /// Bytes of a command's output that are kept.
    private static final int OUTPUT_BYTES = 1 << 20;

    private RolloutSettings() {}

    private static Map<String, @Nullable String> defaults() {
        Map<String, @Nullable String> keys = new LinkedHashMap<>();
        keys.put("rollout.log-dir", null);
        keys.put("rollout.repository", "");
        keys.put("rollout.commit", "");
        keys.put("rollout.actions", "fenced");
        keys.put("rollout.max-steps", "250");
        keys.put("rollout.max-tokens", "0");
        keys.put("rollout.max-seconds", "0");
        keys.put("rollout.max-format-errors", "3");
        keys.put("rollout.command-seconds", "60");
        keys.put("rollout.command-memory", "2g");
        keys.put("rollout.command-disk", "2g");
        keys.put("rollout.command-processes", "256");
        keys.put("rollout.tools", null);
        keys.put("rollout.variables", null);
        keys.put("rollout.window", "32");
        keys.put("rollout.commands", "4");
        keys.put("rollout.work-dir", "/var/tmp/millrace-rollouts");
        return keys;
    }

    /// Null where rows are prompts.
    static @Nullable RolloutRecipe read(ConfigReader reader) {
        String logDir = reader.optional("rollout.log-dir");
        if (logDir == null) {
            return null;
        }
        if (reader.choice("prompt.format", PromptFormat.values()) != PromptFormat.CHAT) {
            reader.wrong("prompt.format", "chat of rollouts", reader.text("prompt.format"));
        }
        if (!reader.text("prompt.overlong").equals("error")) {
            reader.wrong("prompt.overlong", "error of rollouts", reader.text("prompt.overlong"));
        }
        if (!reader.text("sampling.beams").equals("1")) {
            reader.wrong("sampling.beams", "1 of rollouts", reader.text("sampling.beams"));
        }
        return new RolloutRecipe(
                template(reader, "rollout.repository"),
                template(reader, "rollout.commit"),
                reader.choice("rollout.actions", ActionForm.values()),
                new RolloutRecipe.Limits(
                        reader.integer("rollout.max-steps", 0),
                        reader.integer("rollout.max-tokens", 0),
                        reader.integer("rollout.max-seconds", 0),
                        reader.integer("rollout.command-seconds", 1),
                        reader.integer("rollout.max-format-errors", 0)),
                reader.integer("rollout.window", 1),
                reader.integer("rollout.commands", 1),
                Path.of(reader.text("rollout.work-dir")).toAbsolutePath().toString(),
                logDir,
                shell(reader));
    }

    private static String template(ConfigReader reader, String key) {
        String template = reader.optional(key);
        try {
            PromptTemplate.parse(template == null ? "" : template);
        } catch (IllegalArgumentException e) {
            reader.problem(key, key + ": " + e.getMessage());
        }
        return template == null ? "" : template;
    }

    private static SandboxShell shell(ConfigReader reader) {
        long disk = Math.max(1, reader.bytes("rollout.command-disk"));
        Limits limits = new Limits(
                Duration.ofSeconds(1), // each command brings its own
                Math.max(1, reader.integer("rollout.command-seconds", 1)),
                Math.max(1, reader.bytes("rollout.command-memory")),
                Math.max(1, reader.integer("rollout.command-processes", 1)),
                disk,
                disk,
                OUTPUT_BYTES);
        return new SandboxShell(limits, reader.texts("rollout.tools"), variables(reader));
    }

    private static Map<String, String> variables(ConfigReader reader) {
        Map<String, String> variables = new TreeMap<>();
        for (String variable : reader.texts("rollout.variables")) {
            int equals = variable.indexOf('=');
            if (equals < 1) {
                reader.wrong("rollout.variables", "NAME=VALUE", variable);
            } else {
                variables.put(variable.substring(0, equals), variable.substring(equals + 1));
            }
        }
        return variables;
    }

    /// Every key of a group `rollout`.
    static Map<String, Object> keys(RolloutRecipe rollout) {
        Map<String, Object> keys = deciding(rollout);
        keys.put("log-dir", rollout.logDir());
        keys.put("window", rollout.window());
        keys.put("commands", rollout.commands());
        keys.put("work-dir", rollout.workDir());
        return keys;
    }

    /// Those that can change a row.
    static Map<String, Object> deciding(RolloutRecipe rollout) {
        Map<String, Object> keys = new LinkedHashMap<>();
        keys.put("repository", rollout.repository());
        keys.put("commit", rollout.commit());
        keys.put("actions", ConfigFile.word(rollout.form()));
        keys.put("max-steps", rollout.limits().steps());
        keys.put("max-tokens", rollout.limits().tokens());
        keys.put("max-seconds", rollout.limits().seconds());
        keys.put("max-format-errors", rollout.limits().formatErrors());
        keys.put("command-seconds", rollout.limits().commandSeconds());
        if (rollout.shell() instanceof SandboxShell shell) {
            keys.put("command-memory", shell.limits().memoryBytes());
            keys.put("command-disk", shell.limits().diskBytes());
            keys.put("command-processes", shell.limits().processes());
            keys.put("tools", shell.tools());
            keys.put(
                    "variables",
                    List.copyOf(new TreeMap<>(shell.variables())
                            .entrySet().stream()
                                    .map(variable -> variable.getKey() + "=" + variable.getValue())
                                    .toList()));
        }
        return keys;
    }
}
