package io.millrace.jobs.swebench;

import io.millrace.udf.sandbox.Command;
import io.millrace.udf.sandbox.Leftovers;
import io.millrace.udf.sandbox.Limits;
import io.millrace.udf.sandbox.Mount;
import io.millrace.udf.sandbox.Outcome;
import io.millrace.udf.sandbox.Outcome.Ending;
import io.millrace.udf.sandbox.Sandbox;
import io.millrace.udf.sandbox.SandboxException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// A checkout from a local mirror, in a sandbox: the repository is `/testbed` there, as in the official
/// images, and the only folder that can be written to.
///
/// The checkout is a repository of its own that borrows the mirror's objects, and not one of git's
/// worktrees: a worktree is written into the mirror, and what runs in it could read the names of later
/// commits, where the solution is.
final class Checkout implements Workplace {
    private static final Path TESTBED = Path.of("/testbed");
    private static final Path FILES = Path.of("/swebench");
    private static final Path MIRROR = Path.of("/mirror");
    private static final Path DEPENDENCIES = Path.of("/dependencies");
    private static final int OUTPUT_BYTES = 16 << 20;

    private final Path dir;
    private final Path files;
    private final Sandbox sandbox;
    private final ShellScript script;

    private Checkout(Path dir, Sandbox sandbox, ShellScript script) {
        this.dir = dir;
        this.files = dir.resolve("files");
        this.sandbox = sandbox;
        this.script = script;
    }

    /// Checks out and builds the base commit.
    ///
    /// @param dir an empty folder that is the checkout's
    static Checkout open(
            Path dir, Instance instance, TestEnvironment environment, GradeRecipe recipe, Transcript transcript)
            throws IOException, InterruptedException, EnvironmentFault {
        Map<String, String> settings = settings(environment, recipe);
        Path objects = objects(Path.of(recipe.repositories()), instance);
        Path testbed = Files.createDirectories(dir.resolve("testbed"));
        Path files = Files.createDirectories(dir.resolve("files"));
        List<Mount> mounts = new ArrayList<>(List.of(
                Mount.writable(testbed, TESTBED), Mount.readOnly(files, FILES), Mount.readOnly(objects, MIRROR)));
        String dependencies = recipe.dependencies();
        if (dependencies != null) {
            Path primed =
                    Path.of(dependencies).resolve(instance.repositoryName()).toAbsolutePath();
            if (Files.isDirectory(primed)) {
                mounts.add(Mount.readOnly(primed.toRealPath(), DEPENDENCIES));
            }
        }
        for (String value : settings.values()) {
            Path path = value.startsWith("/") ? Path.of(value) : null;
            // the system's folders are there anyway
            if (path != null && Files.exists(path) && !path.startsWith("/usr")) {
                mounts.add(Mount.readOnly(path));
            }
        }
        Sandbox sandbox = new Sandbox(mounts, null, Limits.BUILD.withOutputBytes(OUTPUT_BYTES));
        Checkout checkout =
                new Checkout(dir, sandbox, new ShellScript(instance, environment, settings, DEPENDENCIES.toString()));
        checkout.prepare(Duration.ofSeconds(recipe.timeoutSeconds()), transcript);
        return checkout;
    }

    private static Map<String, String> settings(TestEnvironment environment, GradeRecipe recipe)
            throws EnvironmentFault {
        Map<String, String> settings = new TreeMap<>();
        for (Map.Entry<String, String> wanted : environment.settings().entrySet()) {
            String value = recipe.settings().get(wanted.getKey());
            if (value == null) {
                throw new EnvironmentFault(
                        "setting_missing",
                        environment.name() + ": expected --set " + wanted.getKey() + "=..., " + wanted.getValue()
                                + ", got none");
            }
            settings.put(wanted.getKey(), value);
        }
        return settings;
    }

    /// Where a mirror, bare or not, has its objects.
    static Path objects(Path repositories, Instance instance) throws IOException, EnvironmentFault {
        Path mirror = repositories.resolve(instance.repositoryName());
        for (String place : List.of("objects", ".git/objects")) {
            if (Files.isDirectory(mirror.resolve(place))) {
                return mirror.resolve(place).toRealPath();
            }
        }
        throw new EnvironmentFault(
                "repository_missing", "expected a clone of " + instance.repository() + " at " + mirror + ", got none");
    }

    private void prepare(Duration limit, Transcript transcript)
            throws IOException, InterruptedException, EnvironmentFault {
        Instance instance = script.instance();
        String commit = ShellScript.quoted(instance.baseCommit());
        must(
                "commit_missing",
                "exec 2>&1\nset -ex\ngit init -q\necho " + MIRROR + " > .git/objects/info/alternates\n"
                        + "git checkout -q --detach " + commit + "\n",
                limit,
                transcript);
        StringBuilder tools = new StringBuilder("exec 2>&1\nset -e\n" + script.preamble());
        for (String tool : script.environment().tools()) {
            tools.append("command -v ")
                    .append(tool)
                    .append(" || { echo no ")
                    .append(tool)
                    .append(" in $PATH; exit 1; }\n");
        }
        must("tool_missing", tools.toString(), limit, transcript);
        if (!script.environment().build().isEmpty()) {
            must("build_failed", script.commands(script.environment().build()), limit, transcript);
        }
    }

    private void must(String reason, String commands, Duration limit, Transcript transcript)
            throws IOException, InterruptedException, EnvironmentFault {
        Ran ran = run(commands, limit);
        transcript.add(reason.replace("_missing", "").replace("_failed", ""), ran);
        if (!ran.isSuccess()) {
            throw new EnvironmentFault(
                    reason,
                    "expected the base commit " + script.instance().baseCommit() + " to be made ready without any"
                            + " patch, got exit code " + ran.code() + ran.killed() + ": " + lastLine(ran.output()));
        }
    }

    private static String lastLine(String output) {
        return output.lines().filter(line -> !line.isBlank()).reduce("", (_, line) -> line);
    }

    @Override
    public String put(String name, String content) throws IOException {
        Files.writeString(files.resolve(name), content);
        return FILES.resolve(name).toString();
    }

    @Override
    public Ran run(String commands, Duration limit) throws IOException, InterruptedException, EnvironmentFault {
        // a file, since an argument may be 128 KiB long at most
        String path = put("script.sh", commands);
        try {
            Outcome outcome = sandbox.withLimits(sandbox.limits().withWall(limit))
                    .run(Command.of(TESTBED, "bash", path).with("TZ", "UTC"));
            return new Ran(
                    outcome.exitCode(),
                    outcome.stdout().text() + outcome.stderr().text(),
                    outcome.ending() == Ending.EXITED ? "" : ", " + outcome.ending(),
                    outcome.ending() == Ending.TIMED_OUT);
        } catch (SandboxException e) {
            throw new EnvironmentFault("sandbox_failed", String.valueOf(e.getMessage()), e);
        }
    }

    @Override
    public String evalScript() {
        return script.eval();
    }

    @Override
    public LogParser logParser() throws EnvironmentFault {
        String name = script.environment().logParser();
        return parser(name == null ? script.instance().logParser() : name);
    }

    static LogParser parser(@Nullable String name) throws EnvironmentFault {
        LogParser parser = LogParser.named(name);
        if (parser == null) {
            throw new EnvironmentFault("no_log_parser", "expected a log parser that is here, got " + name);
        }
        return parser;
    }

    @Override
    public void close() throws IOException {
        Leftovers.delete(dir);
    }
}
