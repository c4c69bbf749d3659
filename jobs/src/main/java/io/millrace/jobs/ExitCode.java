package io.millrace.jobs;

/// How the process ends.
public final class ExitCode {
    /// Done; the gate passed or was not asked.
    public static final int OK = 0;
    /// The run failed.
    public static final int ERROR = 1;
    /// The command line or the configuration is wrong; nothing was started.
    public static final int USAGE = 2;
    /// The rows are written, and the gate refused them.
    public static final int GATE_FAILED = 3;

    /// The output is not what its manifest says.
    public static final int DIFFERS = 4;

    /// The rows are written and stand, and the gate still sets some aside although retries were asked for.
    public static final int QUARANTINED = 5;

    private ExitCode() {}
}
