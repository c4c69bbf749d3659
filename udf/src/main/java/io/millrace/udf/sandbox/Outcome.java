package io.millrace.udf.sandbox;

/// How a command ended. Whatever it had started has ended too.
///
/// @param code its exit code if it exited, else the number of the signal
/// @param seconds from its start to its end, with the making of the sandbox
public record Outcome(Ending ending, int code, Output stdout, Output stderr, double seconds) {

    /// Why it ended.
    public enum Ending {
        /// By itself. A shell's convention holds: a program that exits with a code above 128 counts as signalled.
        EXITED,
        /// By a signal that the limits have nothing to do with.
        SIGNALLED,
        /// The time from start to end was over.
        TIMED_OUT,
        /// Its processor time was over.
        OUT_OF_CPU_TIME,
        OUT_OF_MEMORY,
        TOO_MANY_PROCESSES,
        /// What it wrote to grew too much. A file system in memory that is full is the program's own to notice.
        OUT_OF_DISK,
        /// A file of it grew too large.
        FILE_TOO_LARGE,
        ENDLESS_OUTPUT
    }

    /// It ended by itself with exit code 0.
    public boolean isSuccess() {
        return ending == Ending.EXITED && code == 0;
    }

    /// As a shell would have it: 128 + the signal's number where one ended it, 124 where its time was over.
    public int exitCode() {
        return switch (ending) {
            case EXITED -> code;
            case TIMED_OUT -> 124;
            default -> 128 + code;
        };
    }
}
