package io.millrace.jobs.swebench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.jobs.swebench.Grade.Outcome;
import io.millrace.udf.sandbox.Leftovers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Tries one prediction: makes the base commit ready, applies the patch, runs the tests, reads their log.
///
/// Whatever fails before the patch is applied is the environment's fault; what fails afterwards counts
/// against the patch, as in the official harness.
final class Evaluation {
    private final GradeRecipe recipe;
    private final Instance instance;
    private final String patch;
    private final String fingerprint;
    private final Transcript transcript = new Transcript();
    private final Map<String, String> files = new LinkedHashMap<>();
    private final long startedNanos = System.nanoTime();

    Evaluation(GradeRecipe recipe, Instance instance, String patch, String fingerprint) {
        this.recipe = recipe;
        this.instance = instance;
        this.patch = patch;
        this.fingerprint = fingerprint;
    }

    /// @param report the official one; null where there is no run of tests to report
    /// @param files what else is to be kept, text by name
    record Result(Grade grade, @Nullable ObjectNode report, Map<String, String> files) {}

    Result run() throws InterruptedException {
        files.put("patch.diff", patch);
        Result result = grade();
        files.put("run_instance.log", transcript.toString());
        return result;
    }

    private Result grade() throws InterruptedException {
        try (Workplace workplace = open()) {
            LogParser parser = workplace.logParser();
            if (!PatchLadder.apply(workplace, workplace.put("patch.diff", patch), transcript)) {
                return result(Outcome.ERROR, null, "the patch does not apply", null);
            }
            files.put("eval.sh", workplace.evalScript());
            Ran ran = workplace.run(workplace.evalScript(), Duration.ofSeconds(recipe.timeoutSeconds()));
            return tested(ran, parser);
        } catch (EnvironmentFault e) {
            transcript.say("environment: " + e.reason() + ": " + e.getMessage());
            return result(Outcome.ENVIRONMENT, new FailureSign(e.reason(), true), String.valueOf(e.getMessage()), null);
        } catch (IOException e) {
            transcript.say("environment: " + e);
            return result(Outcome.ENVIRONMENT, new FailureSign("files_failed", true), e.toString(), null);
        }
    }

    private Result tested(Ran ran, LogParser parser) {
        transcript.say("== tests: exit code " + ran.code() + ran.killed());
        String log = ran.output();
        if (ran.timedOut()) {
            // the official words: its classification looks for them
            log += "\n\nTimeout error: " + recipe.timeoutSeconds() + " seconds exceeded.";
        }
        files.put("test_output.txt", log);
        if (ran.timedOut()) {
            return result(
                    Outcome.ERROR,
                    FailureSign.in(log).orElse(null),
                    "the tests did not end within " + recipe.timeoutSeconds() + " s",
                    null);
        }
        InstanceReport report = InstanceReport.of(instance, log, parser);
        if (report.resolved()) {
            return result(Outcome.RESOLVED, null, null, report.toJson());
        }
        return result(
                Outcome.UNRESOLVED,
                FailureSign.in(log).orElse(null),
                report.tests() == null ? "the log tells of no run of the tests" : null,
                report.toJson());
    }

    private Result result(
            Outcome outcome, @Nullable FailureSign sign, @Nullable String message, @Nullable ObjectNode report) {
        double seconds = Duration.ofNanos(System.nanoTime() - startedNanos).toMillis() / 1000.0;
        return new Result(new Grade(instance.id(), fingerprint, outcome, sign, message, seconds), report, files);
    }

    private Workplace open() throws IOException, InterruptedException, EnvironmentFault {
        Path dir = recipe.work() == null
                ? Files.createTempDirectory("millrace-swebench")
                : Files.createTempDirectory(Files.createDirectories(Path.of(recipe.work())), instance.id());
        try {
            return open(dir);
        } catch (IOException | InterruptedException | EnvironmentFault | RuntimeException e) {
            Leftovers.delete(dir);
            throw e;
        }
    }

    private Workplace open(Path dir) throws IOException, InterruptedException, EnvironmentFault {
        String image = instance.image();
        String script = instance.evalScript();
        if (image != null && script != null) {
            for (String program : recipe.engines()) {
                Engine engine = new Engine(program);
                if (engine.isThere() && engine.has(image)) {
                    transcript.say(program + ", image " + image);
                    return Container.open(engine, instance, image, script, dir);
                }
            }
        }
        TestEnvironment environment = recipe.environment(instance)
                .orElseThrow(() -> new EnvironmentFault(
                        "no_environment",
                        "expected an environment file for " + instance.repository() + " " + instance.version()
                                + ", or its image " + image + " and one of the engines " + recipe.engines()
                                + " that has it, got neither"));
        transcript.say("environment " + environment.name());
        return Checkout.open(dir, instance, environment, recipe, transcript);
    }
}
