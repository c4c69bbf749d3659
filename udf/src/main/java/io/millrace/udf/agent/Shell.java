package io.millrace.udf.agent;

import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Path;
import java.time.Duration;

/// Runs commands of an agent in its directory, where they can do no harm. Thread-safe.
public interface Shell extends Serializable {

    /// Runs a command to its end. Nothing that it started lives on.
    ///
    /// @param directory of a {@link Workspace}, the only one that it may write to
    /// @param command of bash
    /// @param limit after which it is ended
    /// @throws IOException if no command can be run; one that fails is an observation
    Observation run(Path directory, String command, Duration limit) throws IOException, InterruptedException;
}
