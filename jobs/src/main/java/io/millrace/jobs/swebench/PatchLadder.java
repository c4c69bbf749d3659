package io.millrace.jobs.swebench;

import java.io.IOException;
import java.time.Duration;
import java.util.List;

/// Applies a prediction as the official harness does: four commands, each more lenient than the one
/// before, each on a tree as it was.
final class PatchLadder {
    private static final List<String> COMMANDS = List.of(
            "git apply --verbose",
            "git apply --verbose --3way",
            "git apply --verbose --reject",
            "patch --batch --forward --fuzz=5 -p1 -i");
    private static final String RESET = "exec 2>&1\ngit reset -q --hard\ngit clean -fdq\n";
    private static final Duration LIMIT = Duration.ofMinutes(10);

    private PatchLadder() {}

    /// @param patch where the workplace has it
    /// @return whether it applied
    static boolean apply(Workplace workplace, String patch, Transcript transcript)
            throws IOException, InterruptedException, EnvironmentFault {
        String file = ShellScript.quoted(patch);
        for (int attempt = 0; attempt < COMMANDS.size(); attempt++) {
            if (attempt > 0) {
                // what a command applied before it failed would make every later one fail
                transcript.add("reset", workplace.run(RESET, LIMIT));
            }
            String command = COMMANDS.get(attempt);
            Ran ran = workplace.run("exec 2>&1\n" + command + " " + file + "\n", LIMIT);
            transcript.add(command, ran);
            if (ran.isSuccess()) {
                return true;
            }
        }
        String check = "git apply --check --reverse";
        Ran applied = workplace.run("exec 2>&1\n" + check + " " + file + "\n", LIMIT);
        transcript.add(check, applied);
        return applied.isSuccess();
    }
}
