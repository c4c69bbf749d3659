package io.millrace.udf.served;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.OutputForm;
import io.millrace.engine.api.SamplingParams;
import io.millrace.engine.api.ScoringRequest;
import io.millrace.engine.api.TokenIds;
import io.millrace.udf.EngineRecipe;
import io.millrace.udf.PromptEngine;
import io.millrace.udf.PromptRequest;
import io.millrace.udf.ServedRecipe;
import io.millrace.udf.Thinking;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What goes wrong between an executor and its server, told apart: no request lost, none answered twice.
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class ServedEngineTest {
    private static final int IN_FLIGHT = 4;

    @TempDir
    private Path dir = Path.of("");

    private static PromptEngine open(ServedRecipe recipe) {
        return new EngineRecipe(
                        "served",
                        "no-model",
                        "cache",
                        "auto",
                        0,
                        0,
                        1,
                        IN_FLIGHT,
                        CacheRounding.AUTO,
                        true,
                        true,
                        recipe)
                .open(List.of());
    }

    private static ServedRecipe given(String address, int requestSeconds, @Nullable String model, String extra) {
        return new ServedRecipe(
                List.of(address), List.of(), Map.of(), ".", 0, 1, requestSeconds, model, null, null, extra);
    }

    @Test
    void givenServer_goesAwayAndComesBack_isWaitedFor() throws IOException {
        FaultServer before = FaultServer.start(0, null);
        ServedRecipe recipe = new ServedRecipe(
                List.of(before.address()), List.of(), Map.of(), ".", 0, 60, 60, null, null, null, "{}");
        try (PromptEngine engine = open(recipe)) {
            assertEchoed(submit(engine, "before").join());
            before.close();
            CompletableFuture<GenerationResult> waiting = submit(engine, "after");
            long signs = engine.stats().steps();
            while (engine.stats().steps() < signs + 2) {
                LockSupport.parkNanos(1_000_000);
            }
            try (FaultServer _ = FaultServer.start(URI.create(before.address()).getPort(), null)) {
                assertEchoed(waiting.join());
            }
        }
    }

    private static PromptEngine open(FaultServer server) {
        return open(given(server.address(), 60, null, "{}"));
    }

    /// A server in a process of its own, started by the engine.
    private ServedRecipe started(int delayMillis, int restarts) {
        List<String> command = List.of(
                ProcessHandle.current().info().command().orElse("java"),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                FaultServer.class.getName(),
                "{port}",
                pidFile().toString(),
                Integer.toString(delayMillis));
        return new ServedRecipe(
                List.of(),
                command,
                Map.of("MILLRACE_TEST_SAW", "port {port} of {model}"),
                dir.toString(),
                restarts,
                60,
                60,
                null,
                null,
                null,
                "{}");
    }

    private Path pidFile() {
        return dir.resolve("pid");
    }

    private long pid() throws IOException {
        return Long.parseLong(Files.readString(pidFile()));
    }

    private static CompletableFuture<GenerationResult> submit(PromptEngine engine, String text) {
        return engine.submit(new PromptRequest(text, engine.chat(null, text, Thinking.CHAT), SamplingParams.greedy(8)));
    }

    /// All at once.
    private static Map<String, GenerationResult> ask(PromptEngine engine, String... texts) {
        Map<String, CompletableFuture<GenerationResult>> asked = new LinkedHashMap<>();
        for (String text : texts) {
            asked.put(text, submit(engine, text));
        }
        Map<String, GenerationResult> results = new LinkedHashMap<>();
        asked.forEach((text, result) -> results.put(text, result.join()));
        return results;
    }

    private static void assertEchoed(GenerationResult result) {
        assertThat(result).isInstanceOfSatisfying(GenerationResult.Completed.class, completed -> {
            assertThat(completed.text()).isEqualTo("echo " + completed.requestId());
            assertThat(completed.usage().promptTokens())
                    .isEqualTo(completed.requestId().length());
        });
    }

    private static void assertFailed(GenerationResult result, ErrorCode code, int attempts, String part) {
        assertThat(result).isInstanceOfSatisfying(GenerationResult.Failed.class, failed -> {
            assertThat(failed.code()).isEqualTo(code);
            assertThat(failed.attempts()).isEqualTo(attempts);
            assertThat(failed.message()).contains(part);
        });
    }

    @Test
    void faultsThatPass_areAskedAgain() throws IOException {
        String[] texts = {
            "plain", "RESET-ONCE", "CUT-ONCE", "GARBLE-ONCE", "ERROR-ONCE", "BUSY-ONCE", "ERROR-ONCE RESET-ONCE"
        };
        try (FaultServer server = FaultServer.start(0, null);
                PromptEngine engine = open(server)) {
            ask(engine, texts).values().forEach(ServedEngineTest::assertEchoed);

            assertThat(server.asked("plain")).isEqualTo(1);
            assertThat(List.of(texts).subList(1, texts.length)).allMatch(text -> server.asked(text) == 2);
            assertThat(engine.stats().completed()).isEqualTo(texts.length);
            assertThat(engine.stats().running() + engine.stats().waiting()).isZero();
        }
    }

    @Test
    void faultsThatStay_areErrors() throws IOException {
        try (FaultServer server = FaultServer.start(0, null);
                PromptEngine engine = open(given(server.address(), 1, null, "{}"))) {
            Map<String, GenerationResult> results =
                    ask(engine, "RESET", "ERROR", "REFUSE", "TOO-LONG", "HANG", "HANG-ONCE", "NO-USAGE", "plain");

            assertFailed(results.get("RESET"), ErrorCode.SERVER_FAILED, Flight.MAX_ATTEMPTS, "connection lost");
            assertFailed(results.get("ERROR"), ErrorCode.SERVER_FAILED, Flight.MAX_ATTEMPTS, "status 500: {\"error\"");
            assertFailed(results.get("REFUSE"), ErrorCode.SERVER_REFUSED, 1, "status 400");
            assertFailed(results.get("TOO-LONG"), ErrorCode.CONTEXT_EXCEEDED, 1, "maximum context length is 8");
            assertFailed(results.get("HANG"), ErrorCode.SERVER_TIMEOUT, 2, "within 1 s (served.request-seconds)");
            assertFailed(results.get("NO-USAGE"), ErrorCode.SERVER_REFUSED, 1, "expected usage");
            assertEchoed(results.get("HANG-ONCE"));
            assertEchoed(results.get("plain"));
        }
    }

    @Test
    void request_saysWhatWasAsked() throws IOException {
        try (FaultServer server = FaultServer.start(0, null);
                PromptEngine engine =
                        open(given(server.address(), 60, "echo", "{\"top_p\": null, \"user\": \"us\"}"))) {
            SamplingParams sampling = new SamplingParams(0.5, 0.9, 3, 0, 7, List.of("stop"), -5, false);
            String image = "[{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,AAAA\"}},"
                    + "{\"type\":\"file\",\"file\":{\"file_id\":\"f\"}}]";
            String messages = "[{\"role\":\"user\",\"content\":" + image + "}]";

            GenerationResult result = engine.submit(
                            new PromptRequest("id", engine.messages(messages, Thinking.THINK), sampling))
                    .join();

            assertThat(result).isInstanceOf(GenerationResult.Completed.class);
            JsonNode body = server.bodies().getFirst();
            assertThat(body.path("messages")).hasToString(messages);
            assertThat(body.path("model").asText()).isEqualTo("echo");
            assertThat(body.path("max_tokens").asInt()).isEqualTo(7);
            assertThat(body.path("temperature").asDouble()).isEqualTo(0.5);
            assertThat(body.path("top_k").asInt()).isEqualTo(3);
            assertThat(body.path("seed").asLong()).isEqualTo(-5);
            assertThat(body.path("stop")).hasToString("[\"stop\"]");
            assertThat(body.path("user").asText()).isEqualTo("us");
            assertThat(body.has("top_p")).isFalse();
            assertThat(body.has("min_p")).isFalse();
            assertThat(body.path("chat_template_kwargs").path("thinking").asBoolean())
                    .isTrue();
        }
    }

    @Test
    void request_formAndLogprobs_areAskedFor() throws IOException {
        try (FaultServer server = FaultServer.start(0, null);
                PromptEngine engine = open(server)) {
            String schema = "{\"type\":\"integer\"}";
            SamplingParams sampling = new SamplingParams(0, 1, 0, 0, 7, List.of(), 0, false, 1, 0, 3, null)
                    .withForm(new OutputForm(schema, false));

            engine.submit(new PromptRequest("id", engine.chat(null, "plain", Thinking.MAX), sampling))
                    .join();

            JsonNode body = server.bodies().getFirst();
            assertThat(body.path("logprobs").asBoolean()).isTrue();
            assertThat(body.path("top_logprobs").asInt()).isEqualTo(3);
            assertThat(body.at("/response_format/type").asText()).isEqualTo("json_schema");
            assertThat(body.at("/response_format/json_schema/schema")).hasToString(schema);
            assertThat(body.path("reasoning_effort").asText()).isEqualTo("max");
        }
    }

    @Test
    void scoring_isRefused() throws IOException {
        try (FaultServer server = FaultServer.start(0, null);
                PromptEngine engine = open(server)) {
            ScoringRequest scoring = new ScoringRequest("row", TokenIds.of(1), TokenIds.of(2));

            assertThat(engine.score(scoring).join()).isInstanceOfSatisfying(GenerationResult.Failed.class, failed -> {
                assertThat(failed.requestId()).isEqualTo("row");
                assertThat(failed.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
                assertThat(failed.message()).contains("expected an engine in the executor, got a server");
            });
        }
    }

    @Test
    void cancelled_isNotAskedFurther() throws IOException {
        try (FaultServer server = FaultServer.start(0, null);
                PromptEngine engine = open(server)) {
            CompletableFuture<GenerationResult> hanging = submit(engine, "HANG");
            while (server.asked("HANG") == 0) {
                LockSupport.parkNanos(1_000_000);
            }

            hanging.cancel(true);

            while (engine.stats().running() > 0) {
                LockSupport.parkNanos(1_000_000);
            }
            assertEchoed(submit(engine, "plain").join());
            assertThat(server.asked("HANG")).isEqualTo(1);
        }
    }

    @Test
    void close_failsWhatIsUnderWay() throws IOException {
        try (FaultServer server = FaultServer.start(0, null)) {
            PromptEngine engine = open(server);
            CompletableFuture<GenerationResult> hanging = submit(engine, "HANG");
            engine.close();

            assertFailed(hanging.join(), ErrorCode.ENGINE_CLOSED, 1, "closed");
            assertFailed(submit(engine, "plain").join(), ErrorCode.ENGINE_CLOSED, 1, "closed");
        }
    }

    @Test
    void open_wrongModelKeyOrPlace_saysSo() throws IOException {
        try (FaultServer server = FaultServer.start(0, "the key")) {
            assertThatExceptionOfType(EngineException.class)
                    .isThrownBy(() -> open(server))
                    .withMessageContaining("expected status 200, got 401");
        }
        try (FaultServer server = FaultServer.start(0, null)) {
            assertThatExceptionOfType(EngineException.class)
                    .isThrownBy(() -> open(given(server.address(), 60, "another", "{}")))
                    .withMessage("served.model: expected one of the server's models [echo], got another");
        }
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> open(given("http://127.0.0.1:1/v1", 60, null, "{}")))
                .withMessageContaining("ConnectException")
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.DEVICE_FAILED));
    }

    @Test
    void startedServer_dies_isStartedAgain() throws IOException {
        Path mark = dir.resolve("mark");
        try (PromptEngine engine = open(started(300, 3))) {
            long first = pid();
            List<String> texts = new ArrayList<>(List.of("DIE=" + mark));
            for (int row = 0; row < 12; row++) {
                texts.add("row " + row);
            }

            ask(engine, texts.toArray(String[]::new)).values().forEach(ServedEngineTest::assertEchoed);

            assertThat(mark).exists();
            assertThat(pid()).isNotEqualTo(first);
        }
        assertThat(ProcessHandle.of(pid())).as("a server after its engine").isEmpty();
    }

    /// One request that kills the server each time is an error; those beside it are answered.
    @Test
    void startedServer_isKilledByOneRequest_othersAreAnswered() {
        try (PromptEngine engine = open(started(0, 10))) {
            Map<String, GenerationResult> results = ask(engine, "a", "b", "KILL", "c", "d", "e", "f");

            assertFailed(results.remove("KILL"), ErrorCode.SERVER_FAILED, Flight.MAX_ATTEMPTS, "connection lost");
            results.values().forEach(ServedEngineTest::assertEchoed);
        }
    }

    @Test
    void startedServer_thatNeverComes_isGivenUpWithItsLastWords() {
        ServedRecipe recipe = started(0, 1);
        ServedRecipe broken = new ServedRecipe(
                List.of(),
                List.of("sh", "-c", "echo no cards, only {cards} >&2; exit 7"),
                Map.of(),
                recipe.logDir(),
                1,
                60,
                60,
                null,
                null,
                null,
                "{}");

        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> open(broken))
                .withMessageContaining("ended with exit code 7")
                .withMessageContaining("no cards, only");
    }
}
