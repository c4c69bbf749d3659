package io.millrace.jobs;

import org.apache.spark.api.java.JavaSparkContext;

/// Looks at a run that is ready to begin, in place of beginning it: the settings are final, the requests
/// are written, the session is open, and nothing is computed yet.
public interface RunPlanner {
    /// Bound on the thread of a command that is only to be planned. Its first run is looked at; whatever
    /// the command would do then depends on answers that are not there.
    ScopedValue<RunPlanner> ASKED = ScopedValue.newInstance();

    /// What a command will do behind its first run, which nobody can tell before that has answered. Bound by
    /// commands of several runs.
    ScopedValue<String> LATER = ScopedValue.newInstance();

    /// @param languages whether rows will tell the languages of their texts
    /// @param beside what a run does once its first answers are there, beside computing the others; measuring
    ///     without it would flatter
    /// @return JSON to keep beside the output
    String plan(JavaSparkContext spark, JobConfig config, boolean languages, Runnable beside);

    /// A command ends here: its first run was planned.
    final class PlannedException extends RuntimeException {
        @java.io.Serial
        private static final long serialVersionUID = 1L;

        PlannedException() {
            super("planned, not run");
        }
    }
}
