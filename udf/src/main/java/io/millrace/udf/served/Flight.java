package io.millrace.udf.served;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.GenerationResult;
import io.millrace.udf.served.ServerFault.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/// One request on its way, on a thread of its own, until it is answered or given up. However often the server is
/// asked, there is one result: that of the first whole answer.
final class Flight {
    /// How often the server is asked for an answer it should be able to give.
    static final int MAX_ATTEMPTS = 5;
    /// How often an answer may come too late.
    private static final int MAX_DELAYS = 2;
    /// How often a server is asked that says it has too much to do.
    static final int MAX_REFUSALS = 100;
    /// A request under way whenever the server went away may be what kills it: it is then asked alone, so that no
    /// other pays for it.
    private static final int SUSPICIOUS = 2;

    private static final Duration FIRST_PAUSE = Duration.ofMillis(250);
    private static final Duration LONGEST_PAUSE = Duration.ofMinutes(1);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ServedEngine engine;
    private final String id;
    private final Call call;
    private final long submittedNanos = System.nanoTime();
    private final CompletableFuture<GenerationResult> result = new CompletableFuture<>();
    private final Thread thread = Thread.ofVirtual().name("millrace-served").unstarted(this::run);

    Flight(ServedEngine engine, String id, Call call) {
        this.engine = engine;
        this.id = id;
        this.call = call;
    }

    /// The result; cancelling it ends the request.
    CompletableFuture<GenerationResult> start() {
        CompletableFuture<GenerationResult> _ = result.whenComplete((_, _) -> thread.interrupt());
        thread.start();
        return result;
    }

    void abandon(String reason) {
        result.complete(new GenerationResult.Failed(id, ErrorCode.ENGINE_CLOSED, reason));
    }

    private void run() {
        try {
            GenerationResult answer = ask();
            // counted before whoever waits for it looks
            count(answer);
            engine.landed(this);
            result.complete(answer);
        } catch (InterruptedException _) {
            // cancelled or abandoned: nobody waits for an answer
            engine.landed(this);
        } catch (RuntimeException | Error e) {
            engine.landed(this);
            result.complete(new GenerationResult.Failed(id, ErrorCode.INTERNAL, "asking a server: " + e));
            throw e;
        }
    }

    private void count(GenerationResult answer) {
        ServedEngine.Counters counters = engine.counters();
        switch (answer) {
            case GenerationResult.Failed _ -> counters.failed.increment();
            case GenerationResult.Completed completed -> {
                counters.completed.increment();
                counters.promptTokens.add(completed.usage().promptTokens());
                counters.cachedTokens.add(completed.usage().cachedTokens());
                counters.completionTokens.add(completed.usage().completionTokens());
            }
        }
    }

    private GenerationResult ask() throws InterruptedException {
        Tally tally = new Tally();
        while (true) {
            if (result.isDone()) {
                throw new InterruptedException();
            }
            int places = engine.enter(tally.losses >= SUSPICIOUS);
            try {
                engine.server().awaitReady(tally.losses > 0 && tally.last == Kind.LOST);
                GenerationResult answer = answer();
                engine.server().answered();
                return answer;
            } catch (ServerFault fault) {
                tally.add(fault);
                if (tally.isOver(fault)) {
                    return new GenerationResult.Failed(
                            id, fault.code(), String.valueOf(fault.getMessage()), tally.attempts);
                }
                engine.pause(tally.pause(fault));
            } catch (EngineException e) {
                // no server: the row is as good as any, and its task must go elsewhere
                return new GenerationResult.Failed(id, ErrorCode.DEVICE_FAILED, String.valueOf(e.getMessage()));
            } finally {
                engine.leave(places);
            }
        }
    }

    /// What has gone wrong so far.
    private static final class Tally {
        private int attempts;
        private int refusals;
        private int losses;
        private int delays;
        private Kind last = Kind.FAILED;

        void add(ServerFault fault) {
            last = fault.kind();
            refusals += last == Kind.BUSY ? 1 : 0;
            attempts += last == Kind.BUSY ? 0 : 1;
            losses += last == Kind.LOST ? 1 : 0;
            delays += last == Kind.LATE ? 1 : 0;
        }

        boolean isOver(ServerFault fault) {
            return switch (fault.kind()) {
                case REFUSED, SHUT -> true;
                case BUSY -> refusals >= MAX_REFUSALS;
                case LOST, FAILED, LATE -> attempts >= MAX_ATTEMPTS || delays >= MAX_DELAYS;
            };
        }

        Duration pause(ServerFault fault) {
            Duration wait = fault.waitAsked();
            if (wait.isZero()) {
                wait = FIRST_PAUSE.multipliedBy(1L << Math.min(10, attempts + refusals - 1));
            }
            return wait.compareTo(LONGEST_PAUSE) < 0 ? wait : LONGEST_PAUSE;
        }
    }

    private GenerationResult answer() throws ServerFault, InterruptedException {
        URI address = URI.create(engine.server().address() + call.path());
        Deadline deadline = Deadline.after(engine.requestTimeout(), engine.timer());
        try {
            return answer(address);
        } catch (IOException | InterruptedException e) {
            if (deadline.endsTooLate()) {
                throw new ServerFault(
                        Kind.LATE,
                        address + ": expected an answer within "
                                + engine.requestTimeout().toSeconds() + " s (served.request-seconds), got none");
            }
            if (e instanceof InterruptedException || Thread.interrupted()) {
                throw new InterruptedException();
            }
            throw new ServerFault(Kind.LOST, address + ": connection lost: " + e);
        } finally {
            deadline.endsTooLate();
        }
    }

    private GenerationResult answer(URI address) throws IOException, ServerFault, InterruptedException {
        HttpRequest request = engine.key()
                .addTo(HttpRequest.newBuilder(address))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(call.body()))
                .build();
        long sentNanos = System.nanoTime();
        HttpResponse<InputStream> response = engine.client().send(request, HttpResponse.BodyHandlers.ofInputStream());
        try (InputStream in = response.body()) {
            if (response.statusCode() != 200) {
                throw fault(address, response, new String(in.readAllBytes(), StandardCharsets.UTF_8));
            }
            requireEvents(address, response);
            Stream stream = new Stream(submittedNanos, sentNanos);
            stream.read(in, engine.counters().signs::increment);
            return stream.completed(id);
        }
    }

    private static void requireEvents(URI address, HttpResponse<?> response) throws ServerFault {
        String type = response.headers().firstValue("Content-Type").orElse("nothing");
        if (!type.startsWith("text/event-stream")) {
            throw new ServerFault(Kind.REFUSED, address + ": expected Content-Type text/event-stream, got " + type);
        }
    }

    private ServerFault fault(URI address, HttpResponse<?> response, String body) {
        int status = response.statusCode();
        String message = address + ": status " + status + ": " + engine.key().hiddenIn(Health.excerpt(body));
        return switch (status) {
            case 429, 503 -> new ServerFault(Kind.BUSY, ErrorCode.SERVER_BUSY, message, waitAsked(response));
            // a key, an account or a model that is wrong is so for every row
            case 401, 402, 403, 404 -> new ServerFault(Kind.SHUT, message);
            case 408 -> new ServerFault(Kind.FAILED, message);
            default ->
                status >= 500
                        ? new ServerFault(Kind.FAILED, message)
                        : new ServerFault(
                                Kind.REFUSED,
                                isTooLong(body) ? ErrorCode.CONTEXT_EXCEEDED : ErrorCode.SERVER_REFUSED,
                                message,
                                Duration.ZERO);
        };
    }

    /// As OpenAI's code or vLLM's words say it.
    private static boolean isTooLong(String body) {
        try {
            JsonNode error = JSON.readTree(body);
            JsonNode inner = error.hasNonNull("error") ? error.path("error") : error;
            return inner.path("code").asText().equals("context_length_exceeded")
                    || inner.path("message").asText().contains("maximum context length")
                    || inner.path("type").asText().equals("exceed_context_size_error");
        } catch (JsonProcessingException _) {
            return false;
        }
    }

    /// `Retry-After`: seconds, or a date.
    private static Duration waitAsked(HttpResponse<?> response) {
        String value = response.headers().firstValue("Retry-After").orElse("").strip();
        if (value.matches("\\d{1,6}")) {
            return Duration.ofSeconds(Long.parseLong(value));
        }
        try {
            Instant date = ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME)
                    .toInstant();
            Duration wait = Duration.between(Instant.now(), date);
            return wait.isNegative() ? Duration.ZERO : wait;
        } catch (DateTimeParseException _) {
            return Duration.ZERO;
        }
    }

    /// Interrupts this thread when its time is over, and never after it has ended.
    private static final class Deadline {
        private final Thread thread = Thread.currentThread();
        private final Future<?> alarm;
        private boolean ended;
        private boolean rang;

        private Deadline(Duration time, ScheduledExecutorService timer) {
            alarm = timer.schedule(this::ring, time.toNanos(), TimeUnit.NANOSECONDS);
        }

        static Deadline after(Duration time, ScheduledExecutorService timer) {
            return new Deadline(time, timer);
        }

        private synchronized void ring() {
            if (!ended) {
                rang = true;
                thread.interrupt();
            }
        }

        /// Ends it.
        ///
        /// @return whether its time was over; the interruption is then taken back
        synchronized boolean endsTooLate() {
            if (!ended && rang) {
                Thread.interrupted();
            }
            ended = true;
            alarm.cancel(false);
            return rang;
        }
    }
}
