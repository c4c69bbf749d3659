package io.millrace.jobs.swebench;

/// What was done for an instance, for a person: `run_instance.log`.
final class Transcript {
    private final StringBuilder text = new StringBuilder();

    void say(String line) {
        text.append(line).append('\n');
    }

    /// @param what the step
    void add(String what, Ran ran) {
        say("== " + what + ": exit code " + ran.code() + ran.killed());
        if (!ran.output().isBlank()) {
            say(ran.output().stripTrailing());
        }
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
