package io.millrace.jobs.serve;

import io.millrace.engine.LocalEngine;
import io.millrace.jobs.inspect.ModelOption;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `millrace serve`: a model behind OpenAI's interface until the process is stopped.
@Command(
        name = "serve",
        mixinStandardHelpOptions = true,
        description = {
            "Answers /v1/chat/completions and /v1/completions from one model, until it is stopped.",
            "Asks nobody for a key: give it a --host other than the default only in a network you trust."
        })
public final class ServeCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Mixin
    private ModelOption model = new ModelOption();

    @Option(
            names = "--host",
            paramLabel = "ADDRESS",
            defaultValue = "127.0.0.1",
            description = "Address to listen on. Default: ${DEFAULT-VALUE}.")
    private String host = "";

    @Option(
            names = "--port",
            paramLabel = "N",
            defaultValue = "8000",
            description = "Port to listen on; 0 for any that is free. Default: ${DEFAULT-VALUE}.")
    private int port;

    @Option(
            names = "--name",
            paramLabel = "NAME",
            description = "Name of the model in requests. Default: the model's own.")
    private @Nullable String name;

    @Option(
            names = "--queue",
            paramLabel = "N",
            defaultValue = "1024",
            description = "Completions under way at most; who comes then is told to come again (429). "
                    + "Default: ${DEFAULT-VALUE}.")
    private int queue;

    @Option(
            names = "--stream-interval",
            paramLabel = "N",
            defaultValue = "1",
            description = "Tokens that a part of a stream waits for; more cost less. Default: ${DEFAULT-VALUE}.")
    private int interval;

    @Override
    public Integer call() throws IOException, InterruptedException {
        CountDownLatch stopped = new CountDownLatch(1);
        try (LocalEngine engine = model.open();
                ApiServer server = start(engine)) {
            // the engine is closed by the process's end
            Runtime.getRuntime()
                    .addShutdownHook(
                            Thread.ofPlatform().name("millrace-serve-stop").unstarted(stopped::countDown));
            say("serving " + name(engine) + " at http://" + host + ":"
                    + server.address().getPort() + "/v1");
            stopped.await();
        }
        return 0;
    }

    private ApiServer start(LocalEngine engine) throws IOException {
        return ApiServer.start(
                engine, name(engine), Math.max(1, queue), Math.max(1, interval), new InetSocketAddress(host, port));
    }

    private String name(LocalEngine engine) {
        return name == null ? engine.model().name() : name;
    }

    private void say(String line) {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the spec before it calls the command");
        }
        PrintWriter out = spec.commandLine().getOut();
        out.println(line);
        out.flush();
    }
}
