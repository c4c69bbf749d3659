package io.millrace.udf.agent;

import java.io.Serializable;

/// How a row becomes a rollout, beside its prompt and sampling.
///
/// @param repository local clone that a row starts from: a path with `{column}` placeholders; empty for
///     an empty directory
/// @param commit it starts at, likewise; empty for the clone's HEAD
/// @param form how the agent writes what is to be done
/// @param limits bounds of a rollout
/// @param window rollouts that a task keeps under way
/// @param commands commands that run at a time in an executor
/// @param workDir folder of the executors' hosts for the directories
/// @param logDir folder of the logs, on any file system of Hadoop
/// @param shell runs the commands
public record RolloutRecipe(
        String repository,
        String commit,
        ActionForm form,
        Limits limits,
        int window,
        int commands,
        String workDir,
        String logDir,
        Shell shell)
        implements Serializable {

    /// Bounds of a rollout; 0 for none.
    ///
    /// @param steps turns of the agent
    /// @param tokens of the conversation: of the last prompt and its answer
    /// @param seconds that it is under way
    /// @param commandSeconds of one command, >= 1
    /// @param formatErrors turns in a row that hold no action
    public record Limits(int steps, int tokens, int seconds, int commandSeconds, int formatErrors)
            implements Serializable {}
}
