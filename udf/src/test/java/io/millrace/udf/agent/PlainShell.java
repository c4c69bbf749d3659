package io.millrace.udf.agent;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;

/// Commands without a sandbox, which may leave marks outside of their directory: for tests to count.
record PlainShell() implements Shell {
    private static final long serialVersionUID = 1L;

    @Override
    public Observation run(Path directory, String command, Duration limit) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("bash", "-c", command)
                .directory(directory.resolve(Workspace.TESTBED).toFile())
                .redirectErrorStream(true)
                .start();
        try {
            process.getOutputStream().close();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return new Observation(said, process.waitFor(), null, false);
        } finally {
            process.destroyForcibly();
        }
    }
}
