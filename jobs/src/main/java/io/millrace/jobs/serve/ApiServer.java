package io.millrace.jobs.serve;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.millrace.engine.LocalEngine;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ModelSummary;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Answers HTTP requests of OpenAI's shape from one engine, a virtual thread for each. No more than a number of
/// completions are under way at a time; who comes then is told to come again.
final class ApiServer implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ApiServer.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int MAX_BODY_BYTES = 64 << 20;
    private static final int RETRY_AFTER_SECONDS = 1;

    private final LocalEngine engine;
    private final String name;
    private final int queue;
    private final int interval;
    private final Semaphore room;
    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final long created = Instant.now().getEpochSecond();
    private final AtomicLong requests = new AtomicLong();

    private ApiServer(LocalEngine engine, String name, int queue, int interval, HttpServer server) {
        this.engine = engine;
        this.name = name;
        this.queue = queue;
        this.interval = interval;
        this.room = new Semaphore(queue);
        this.server = server;
    }

    /// Begins to listen. The engine stays the caller's.
    ///
    /// @param name of the model, as requests have it
    /// @param queue completions under way at most
    /// @param interval tokens that a part of a stream waits for
    static ApiServer start(LocalEngine engine, String name, int queue, int interval, InetSocketAddress address)
            throws IOException {
        ApiServer api = new ApiServer(engine, name, queue, interval, HttpServer.create(address, 0));
        api.server.createContext("/", api::handle);
        api.server.setExecutor(api.threads);
        api.server.start();
        return api;
    }

    InetSocketAddress address() {
        return server.getAddress();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            try {
                answer(exchange);
            } catch (ApiException e) {
                send(exchange, e);
            } catch (EngineException e) {
                send(exchange, ApiException.of(e.code(), String.valueOf(e.getMessage())));
            } catch (RuntimeException e) {
                log.error("{} {}", exchange.getRequestMethod(), exchange.getRequestURI(), e);
                send(exchange, ApiException.internal(e.toString()));
            }
        }
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        switch (exchange.getRequestMethod() + " " + path) {
            case "GET /health" ->
                send(exchange, 200, JsonNodeFactory.instance.objectNode().put("status", "ok"));
            case "GET /v1/models" -> send(exchange, 200, models());
            case "POST /v1/chat/completions" -> complete(exchange, Wish::ofChat);
            case "POST /v1/completions" -> complete(exchange, Wish::ofText);
            case String asked -> {
                String prefix = "GET /v1/models/";
                if (!asked.startsWith(prefix)) {
                    throw ApiException.noPath(exchange.getRequestMethod(), path);
                }
                requireModel(asked.substring(prefix.length()));
                send(exchange, 200, model());
            }
        }
    }

    private ObjectNode models() {
        ObjectNode models = JsonNodeFactory.instance.objectNode().put("object", "list");
        models.putArray("data").add(model());
        return models;
    }

    /// OpenAI's fields, vLLM's `max_model_len`, and what a run's manifest keeps of a model.
    private ObjectNode model() {
        ModelSummary model = engine.model();
        return JsonNodeFactory.instance
                .objectNode()
                .put("id", name)
                .put("object", "model")
                .put("created", created)
                .put("owned_by", "millrace")
                .put("max_model_len", model.maxPositions())
                .put("weights_sha256", model.weightsSha256())
                .put("quantization", model.quantization());
    }

    private void requireModel(String asked) {
        if (!asked.equals(name)) {
            throw ApiException.noModel(asked, name);
        }
    }

    /// Understands a request; the seed is for one that names none.
    private interface Reader {
        Wish read(Fields fields, LocalEngine engine, long seed);
    }

    private void complete(HttpExchange exchange, Reader reader) throws IOException {
        Fields fields = new Fields(body(exchange));
        String model = fields.text("model");
        if (model != null) {
            requireModel(model);
        }
        long number = requests.incrementAndGet();
        Wish wish = reader.read(fields, engine, number);
        if (wish.choices() > queue) {
            throw ApiException.invalid(
                    "n", "expected at most " + queue + " completions in one request, got " + wish.choices());
        }
        if (!room.tryAcquire(wish.choices())) {
            exchange.getResponseHeaders().set("Retry-After", Integer.toString(RETRY_AFTER_SECONDS));
            throw ApiException.busy(queue);
        }
        try {
            complete(exchange, wish, new Answer(number, name, Instant.now().getEpochSecond(), wish, engine, interval));
        } finally {
            room.release(wish.choices());
        }
    }

    private void complete(HttpExchange exchange, Wish wish, Answer answer) throws IOException {
        try {
            if (wish.stream()) {
                stream(exchange, answer);
            } else {
                send(exchange, 200, answer.whole());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw ApiException.internal("the server is being stopped");
        } finally {
            // of a client that went away, nothing more is computed
            answer.cancel();
        }
    }

    /// Server-sent events. What fails once they have begun is one of them.
    private static void stream(HttpExchange exchange, Answer answer) throws IOException, InterruptedException {
        exchange.getResponseHeaders().set("Content-Type", "text/event-stream; charset=utf-8");
        exchange.getResponseHeaders().set("Cache-Control", "no-cache");
        exchange.sendResponseHeaders(200, 0);
        try (OutputStream out = exchange.getResponseBody()) {
            try {
                answer.stream(part -> event(out, part.toString()));
            } catch (ApiException e) {
                event(out, e.body().toString());
            }
            event(out, "[DONE]");
        }
    }

    private static void event(OutputStream out, String data) throws IOException {
        out.write(("data: " + data + "\n\n").getBytes(StandardCharsets.UTF_8));
        out.flush();
    }

    private static JsonNode body(HttpExchange exchange) throws IOException {
        byte[] bytes = exchange.getRequestBody().readNBytes(MAX_BODY_BYTES + 1);
        if (bytes.length > MAX_BODY_BYTES) {
            throw ApiException.tooLarge(MAX_BODY_BYTES);
        }
        try {
            return JSON.readTree(bytes);
        } catch (JsonProcessingException e) {
            throw ApiException.invalid(null, "body: expected JSON, got " + e.getOriginalMessage());
        }
    }

    private static void send(HttpExchange exchange, ApiException error) throws IOException {
        if (exchange.getResponseCode() == -1) {
            send(exchange, error.status(), error.body());
        }
    }

    private static void send(HttpExchange exchange, int status, ObjectNode body) throws IOException {
        byte[] bytes = JSON.writeValueAsBytes(body);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    /// Stops listening; requests under way are cut off.
    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
