package io.millrace.jobs.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.jobs.JobException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// llama.cpp's server on the loopback address, computing in float as far as it can be told to.
final class LlamaServer implements AutoCloseable {
    static final String TOOL = "llama-server";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration START = Duration.ofMinutes(1);
    private static final Duration ANSWER = Duration.ofMinutes(5);

    private final Process process;
    private final URI address;
    private final HttpClient client = HttpClient.newHttpClient();

    private LlamaServer(Process process, URI address) {
        this.process = process;
        this.address = address;
    }

    /// @param tools folder of the program
    /// @param context longest text, in tokens
    static LlamaServer start(Path tools, Path model, int threads, int context) throws IOException {
        int port = freePort();
        List<String> command = List.of(
                tools.resolve(TOOL).toString(),
                "-m",
                model.toString(),
                "-t",
                Integer.toString(threads),
                "-c",
                Integer.toString(context + 1),
                "-np",
                "1",
                "-ctk",
                "f32",
                "-ctv",
                "f32",
                "-fa",
                "off",
                "--host",
                "127.0.0.1",
                "--port",
                Integer.toString(port));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        LlamaServer server = new LlamaServer(process, URI.create("http://127.0.0.1:" + port));
        server.awaitHealth(command);
        return server;
    }

    private void awaitHealth(List<String> command) {
        long deadline = System.nanoTime() + START.toNanos();
        while (!isHealthy()) {
            if (System.nanoTime() > deadline || !process.isAlive()) {
                close();
                throw new JobException("expected an answer of " + String.join(" ", command) + ", got none");
            }
            LockSupport.parkNanos(Duration.ofMillis(100).toNanos());
        }
    }

    private boolean isHealthy() {
        try {
            return send(HttpRequest.newBuilder(address.resolve("/health")).build())
                            .statusCode()
                    == 200;
        } catch (IOException _) {
            // not listening yet
            return false;
        }
    }

    private HttpResponse<String> send(HttpRequest request) throws IOException {
        try {
            return client.send(request, HttpResponse.BodyHandlers.ofString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new JobException("interrupted");
        }
    }

    /// The prompt and as many tokens after it, each the most likely but the end of the text.
    int[] goOn(int[] prompt, int tokens) throws IOException {
        ObjectNode body = JSON.createObjectNode();
        body.set("prompt", JSON.valueToTree(prompt));
        body.put("n_predict", tokens).put("temperature", 0).put("ignore_eos", true);
        body.put("return_tokens", true).put("cache_prompt", false);
        body.putArray("samplers").add("temperature");
        HttpResponse<String> response = send(HttpRequest.newBuilder(address.resolve("/completion"))
                .timeout(ANSWER)
                .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
                .build());
        JsonNode answer = JSON.readTree(response.body()).path("tokens");
        if (answer.size() != tokens) {
            throw new JobException("expected " + tokens + " tokens, got " + response.body());
        }
        int[] text = java.util.Arrays.copyOf(prompt, prompt.length + tokens);
        for (int i = 0; i < tokens; i++) {
            text[prompt.length + i] = answer.get(i).asInt();
        }
        return text;
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    @Override
    public void close() {
        client.close();
        process.destroy();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
