package io.millrace.jobs.swebench;

import io.millrace.udf.sandbox.Leftovers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;

/// A container of an instance's official image, without network: the repository is at its base commit
/// and built.
final class Container implements Workplace {
    private static final String TESTBED = "/testbed";

    private final Engine engine;
    private final Instance instance;
    private final Path dir;
    private final String evalScript;
    private final String name = "millrace-" + UUID.randomUUID();

    private Container(Engine engine, Instance instance, Path dir, String evalScript) {
        this.engine = engine;
        this.instance = instance;
        this.dir = dir;
        this.evalScript = evalScript;
    }

    /// @param dir an empty folder that is the container's
    static Container open(Engine engine, Instance instance, String image, String evalScript, Path dir)
            throws IOException, InterruptedException, EnvironmentFault {
        Container container = new Container(engine, instance, dir, evalScript);
        engine.must("create", "--network", "none", "--name", container.name, image, "tail", "-f", "/dev/null");
        try {
            engine.must("start", container.name);
        } catch (EnvironmentFault | IOException | InterruptedException e) {
            container.close();
            throw e;
        }
        return container;
    }

    @Override
    public String put(String file, String content) throws IOException, EnvironmentFault {
        Path here = Files.writeString(dir.resolve(file), content);
        String there = "/tmp/" + file;
        try {
            engine.must("cp", here.toString(), name + ":" + there);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EnvironmentFault("container_unavailable", "interrupted", e);
        }
        return there;
    }

    @Override
    public Ran run(String commands, Duration limit) throws IOException, InterruptedException, EnvironmentFault {
        String script = put("script.sh", commands);
        return engine.run(limit, "exec", "--workdir", TESTBED, name, "bash", script);
    }

    @Override
    public String evalScript() {
        return evalScript;
    }

    @Override
    public LogParser logParser() throws EnvironmentFault {
        return Checkout.parser(instance.logParser());
    }

    @Override
    public void close() throws IOException {
        try {
            Ran _ = engine.run(Duration.ofMinutes(1), "rm", "--force", name);
        } catch (InterruptedException _) {
            // the engine was told; whoever is interrupted hears of it at the next wait
            Thread.currentThread().interrupt();
        }
        Leftovers.delete(dir);
    }
}
