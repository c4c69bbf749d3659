package io.millrace.jobs.swebench;

import java.io.IOException;
import java.time.Duration;

/// A repository at the base commit of an instance, ready to be built and tested, for one prediction.
interface Workplace extends AutoCloseable {

    /// Puts a file beside the repository.
    ///
    /// @return where scripts find it
    String put(String name, String content) throws IOException, EnvironmentFault;

    /// Runs a script in the repository.
    Ran run(String script, Duration limit) throws IOException, InterruptedException, EnvironmentFault;

    /// The script that applies the test patch and runs the tests.
    String evalScript();

    /// What reads the log of the tests.
    LogParser logParser() throws EnvironmentFault;

    /// Leaves nothing behind.
    @Override
    void close() throws IOException;
}
