package io.millrace.jobs.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.RateLimitException;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.completions.Completion;
import com.openai.models.completions.CompletionChoice;
import com.openai.models.completions.CompletionCreateParams;
import com.openai.models.models.Model;
import io.millrace.engine.LocalEngine;
import io.millrace.engine.api.EngineConfig;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.SamplingParams;
import io.millrace.engine.api.ScoringRequest;
import io.millrace.engine.api.ScoringResult;
import io.millrace.engine.api.TokenIds;
import io.millrace.engine.chat.ChatMessage;
import io.millrace.engine.chat.ThinkingMode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The bundled model behind the server, asked by OpenAI's own client.
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class ServeTest {
    private static final Path BUNDLED = Path.of("../engine/models/synopsis-v4");
    private static final String NAME = "synopsis";
    private static final String QUESTION = "A library of functions that read and write archives of many formats.";
    private static final int QUEUE = 8;

    @TempDir
    private static Path dir;

    private static LocalEngine engine;
    private static ApiServer server;
    private static OpenAIClient client;

    @BeforeAll
    static void start() throws IOException {
        engine = LocalEngine.open(EngineConfig.of(longerModel()));
        server = ApiServer.start(engine, NAME, QUEUE, 1, new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        client = OpenAIOkHttpClient.builder()
                .baseUrl(address().toString())
                .apiKey("none")
                .maxRetries(0)
                .build();
    }

    /// The bundled model with room for the instructions that go with tools.
    private static Path longerModel() throws IOException {
        Path longer = Files.createDirectory(dir.resolve("model"));
        for (String file : List.of("model.safetensors", "tokenizer.json", "generation_config.json")) {
            Files.createSymbolicLink(longer.resolve(file), BUNDLED.resolve(file).toAbsolutePath());
        }
        ObjectNode config = (ObjectNode)
                new ObjectMapper().readTree(BUNDLED.resolve("config.json").toFile());
        config.put("max_position_embeddings", 4096);
        Files.writeString(longer.resolve("config.json"), config.toString());
        return longer;
    }

    private static URI address() {
        return URI.create("http://127.0.0.1:" + server.address().getPort() + "/v1");
    }

    @AfterAll
    static void stop() {
        client.close();
        server.close();
        engine.close();
    }

    private static ChatCompletionCreateParams.Builder chat() {
        return ChatCompletionCreateParams.builder()
                .model(NAME)
                .addUserMessage(QUESTION)
                .temperature(0.0)
                .maxCompletionTokens(16);
    }

    private static TokenIds prompt() {
        return engine.encodeChat(List.of(ChatMessage.user(QUESTION)), ThinkingMode.CHAT);
    }

    private static GenerationResult.Completed greedy(TokenIds prompt, int maxTokens) {
        return (GenerationResult.Completed)
                engine.submit(new GenerationRequest("direct", prompt, SamplingParams.greedy(maxTokens)))
                        .join();
    }

    @Test
    @SuppressWarnings("deprecation") // the only way to fields that OpenAI does not have
    void models_areTold() {
        assertThat(client.models().list().data()).extracting(Model::id).containsExactly(NAME);
        assertThat(client.models().retrieve(NAME)._additionalProperties())
                .containsEntry("max_model_len", JsonValue.from(4096))
                .containsEntry("weights_sha256", JsonValue.from(engine.model().weightsSha256()));
        assertThatExceptionOfType(NotFoundException.class)
                .isThrownBy(() -> client.models().retrieve("another"));
    }

    @Test
    void chat_isWhatTheEngineWrites() {
        GenerationResult.Completed direct = greedy(prompt(), 16);

        ChatCompletion answer = client.chat().completions().create(chat().build());

        assertThat(direct.text()).isNotBlank();
        assertThat(answer.choices().getFirst().message().content()).contains(direct.text());
        assertThat(answer.choices().getFirst().finishReason().asString())
                .isEqualTo(direct.finishReason().wireName());
        assertThat(answer.usage()).hasValueSatisfying(usage -> {
            assertThat(usage.promptTokens()).isEqualTo(prompt().size());
            assertThat(usage.completionTokens()).isEqualTo(direct.usage().completionTokens());
            assertThat(usage.totalTokens()).isEqualTo(usage.promptTokens() + usage.completionTokens());
            assertThat(usage.promptTokensDetails().orElseThrow().cachedTokens()).isPresent();
        });
    }

    @Test
    void chatStream_joined_isTheWholeAnswer() {
        ChatCompletion whole = client.chat().completions().create(chat().build());
        StringBuilder text = new StringBuilder();
        List<String> reasons = new ArrayList<>();
        List<Long> tokens = new ArrayList<>();
        int parts = 0;

        try (StreamResponse<ChatCompletionChunk> stream = client.chat()
                .completions()
                .createStreaming(chat().streamOptions(ChatCompletionStreamOptions.builder()
                                .includeUsage(true)
                                .build())
                        .build())) {
            for (ChatCompletionChunk chunk : stream.stream().toList()) {
                parts++;
                chunk.usage().ifPresent(usage -> tokens.add(usage.completionTokens()));
                for (ChatCompletionChunk.Choice choice : chunk.choices()) {
                    choice.delta().content().ifPresent(text::append);
                    choice.finishReason().ifPresent(reason -> reasons.add(reason.asString()));
                }
            }
        }

        assertThat(text.toString())
                .isEqualTo(whole.choices().getFirst().message().content().orElseThrow());
        assertThat(reasons).hasSize(1);
        assertThat(tokens).containsExactly(whole.usage().orElseThrow().completionTokens());
        assertThat(parts)
                .as("a role, text in one part or many, an end, the usage")
                .isGreaterThanOrEqualTo(4);
    }

    @Test
    void chat_logprobs_areTheModels() {
        GenerationResult.Completed direct = greedy(prompt(), 16);

        ChatCompletion answer = client.chat()
                .completions()
                .create(chat().logprobs(true).topLogprobs(3).build());

        var tokens =
                answer.choices().getFirst().logprobs().orElseThrow().content().orElseThrow();
        assertThat(tokens).hasSize(direct.tokens().size()).allSatisfy(token -> {
            assertThat(token.topLogprobs()).hasSize(3);
            // greedy: the chosen one is the likeliest
            assertThat(token.topLogprobs().getFirst().token()).isEqualTo(token.token());
            assertThat(token.topLogprobs().getFirst().logprob()).isEqualTo(token.logprob());
            assertThat(token.topLogprobs().get(1).logprob()).isLessThanOrEqualTo(token.logprob());
        });
        double sum = tokens.stream().mapToDouble(token -> token.logprob()).sum();
        if (direct.tokens().size() == direct.usage().completionTokens()) {
            assertThat(sum / tokens.size()).isCloseTo(direct.meanLogprob(), within(1e-9));
        } else {
            assertThat(sum).isGreaterThan(direct.meanLogprob() * direct.usage().completionTokens());
        }
    }

    @Test
    void chat_tools_areRenderedAndMayBeOff() {
        ChatCompletionCreateParams with = chat().addFunctionTool(FunctionDefinition.builder()
                        .name("bash")
                        .description("runs a command")
                        .parameters(FunctionParameters.builder()
                                .putAdditionalProperty("type", JsonValue.from("object"))
                                .build())
                        .build())
                .build();
        long plain = promptTokens(chat().build());

        assertThat(promptTokens(with)).isGreaterThan(plain + 100);
        assertThat(promptTokens(with.toBuilder()
                        .toolChoice(com.openai.models.chat.completions.ChatCompletionToolChoiceOption.ofAuto(
                                com.openai.models.chat.completions.ChatCompletionToolChoiceOption.Auto.NONE))
                        .build()))
                .isEqualTo(plain);
    }

    private static long promptTokens(ChatCompletionCreateParams params) {
        return client.chat().completions().create(params).usage().orElseThrow().promptTokens();
    }

    @Test
    @SuppressWarnings("deprecation") // the only way to fields that OpenAI does not have
    void chat_thinking_isTakenApart() {
        ChatCompletion answer = client.chat()
                .completions()
                .create(chat().putAdditionalBodyProperty("thinking", JsonValue.from(Map.of("type", "enabled")))
                        .build());
        TokenIds prompt = engine.encodeChat(List.of(ChatMessage.user(QUESTION)), ThinkingMode.THINKING);
        String direct = greedy(prompt, 16).text();

        var message = answer.choices().getFirst().message();
        Object reasoning = message._additionalProperties().get("reasoning_content");
        int end = direct.indexOf("</think>");
        assertThat(reasoning).isEqualTo(JsonValue.from(end < 0 ? direct : direct.substring(0, end)));
        assertThat(message.content()).contains(end < 0 ? "" : direct.substring(end + "</think>".length()));
    }

    @Test
    void completions_promptsAndSamples_haveTheirPlacesAndSeeds() {
        CompletionCreateParams params = CompletionCreateParams.builder()
                .model(NAME)
                .promptOfArrayOfStrings(List.of("A library", "A game of"))
                .n(2)
                .seed(7)
                .temperature(1.5)
                .maxTokens(8)
                .build();

        Completion first = client.completions().create(params);
        Completion again = client.completions().create(params);

        assertThat(first.choices()).extracting(CompletionChoice::index).containsExactly(0L, 1L, 2L, 3L);
        assertThat(first.choices()).extracting(CompletionChoice::text).doesNotHaveDuplicates();
        assertThat(again.choices())
                .extracting(CompletionChoice::text)
                .isEqualTo(first.choices().stream().map(CompletionChoice::text).toList());
        assertThat(first.usage().orElseThrow().promptTokens())
                .isEqualTo(engine.encodeText("A library").size()
                        + engine.encodeText("A game of").size());
    }

    @Test
    void completions_stopAndTokenIds() {
        TokenIds prompt = prompt();
        String whole = greedy(prompt, 16).text();
        String stop = whole.substring(whole.length() / 2, whole.length() / 2 + 2);
        List<Long> ids = new ArrayList<>();
        for (int id : prompt.toArray()) {
            ids.add((long) id);
        }
        CompletionCreateParams params = CompletionCreateParams.builder()
                .model(NAME)
                .promptOfArrayOfTokens(ids)
                .temperature(0.0)
                .maxTokens(16)
                .stop(stop)
                .logprobs(1)
                .build();

        CompletionChoice choice = client.completions().create(params).choices().getFirst();
        StringBuilder streamed = new StringBuilder();
        try (StreamResponse<Completion> stream = client.completions().createStreaming(params)) {
            stream.stream().forEach(part -> part.choices().forEach(c -> streamed.append(c.text())));
        }

        assertThat(choice.text()).isEqualTo(whole.substring(0, whole.indexOf(stop)));
        assertThat(streamed.toString()).isEqualTo(choice.text());
        assertThat(choice.finishReason().asString()).isEqualTo("stop");
        assertThat(choice.logprobs().orElseThrow().tokenLogprobs().orElseThrow())
                .isNotEmpty()
                .allMatch(logprob -> logprob <= 0);
    }

    @Test
    void chat_jsonSchema_isKeptTo() throws IOException {
        Map<String, Object> schema = Map.of(
                "type",
                "object",
                "properties",
                Map.of("kind", Map.of("enum", List.of("library", "game")), "stars", Map.of("type", "integer")),
                "required",
                List.of("kind"),
                "additionalProperties",
                false);
        for (double temperature : new double[] {0, 1.5}) {
            String content = client.chat()
                    .completions()
                    .create(chat().putAdditionalBodyProperty(
                                    "response_format",
                                    JsonValue.from(Map.of(
                                            "type",
                                            "json_schema",
                                            "json_schema",
                                            Map.of("name", "a", "schema", schema))))
                            .temperature(temperature)
                            .seed(3)
                            .maxCompletionTokens(200)
                            .build())
                    .choices()
                    .getFirst()
                    .message()
                    .content()
                    .orElseThrow();

            assertThat(new ObjectMapper().readTree(content).path("kind").asText())
                    .isIn("library", "game");
        }
    }

    @Test
    void chat_toolThatHasToBeCalled_isBegun() {
        ChatCompletionCreateParams params = chat().addFunctionTool(
                        FunctionDefinition.builder().name("bash").build())
                .putAdditionalBodyProperty("tool_choice", JsonValue.from("required"))
                .build();

        String content = client.chat()
                .completions()
                .create(params)
                .choices()
                .getFirst()
                .message()
                .content()
                .orElse("");
        // the bundled model does not know the format: what it was made to begin shows as text
        assertThat(content).startsWith("\n\n<｜DSML｜tool_calls>\n<｜DSML｜invoke name=\"");
    }

    @Test
    void completions_echo_hasThePromptsLogprobs() {
        CompletionCreateParams params = CompletionCreateParams.builder()
                .model(NAME)
                .prompt("A library for the")
                .temperature(0.0)
                .maxTokens(1)
                .echo(true)
                .logprobs(2)
                .build();
        TokenIds prompt = engine.encodeText("A library for the");
        ScoringResult.Scored direct =
                (ScoringResult.Scored) engine.score(new ScoringRequest("direct", prompt.head(1), prompt.from(1)))
                        .join();

        CompletionChoice choice = client.completions().create(params).choices().getFirst();

        assertThat(choice.text()).startsWith("A library for the");
        var logprobs = choice.logprobs().orElseThrow();
        assertThat(logprobs.tokens().orElseThrow()).hasSize(prompt.size() + 1);
        assertThat(logprobs._tokenLogprobs().toString()).startsWith("[null, ");
        for (int at = 0; at < direct.logprobs().size(); at++) {
            assertThat(logprobs._tokenLogprobs().toString())
                    .contains(direct.logprobs().get(at).toString());
        }
    }

    @Test
    void refusals_haveOpenAisShape() {
        assertThatExceptionOfType(BadRequestException.class)
                .isThrownBy(() -> client.chat()
                        .completions()
                        .create(chat().putAdditionalBodyProperty(
                                        "response_format",
                                        JsonValue.from(Map.of(
                                                "type",
                                                "json_schema",
                                                "json_schema",
                                                Map.of("schema", Map.of("type", "string", "format", "date")))))
                                .build()))
                .withMessageContaining("got format");
        assertThatExceptionOfType(BadRequestException.class)
                .isThrownBy(() -> client.chat()
                        .completions()
                        .create(chat().maxCompletionTokens(5000).build()))
                .satisfies(e -> assertThat(e.code()).contains("context_length_exceeded"));
        assertThatExceptionOfType(BadRequestException.class)
                .isThrownBy(() ->
                        client.chat().completions().create(chat().topP(0.0).build()))
                .withMessageContaining("topP: expected in (0, 1], got 0.0");
        assertThatExceptionOfType(BadRequestException.class)
                .isThrownBy(() -> client.chat()
                        .completions()
                        .create(chat().presencePenalty(1.0).build()))
                .satisfies(e -> assertThat(e.param()).contains("presence_penalty"));
        assertThatExceptionOfType(BadRequestException.class)
                .isThrownBy(() ->
                        client.chat().completions().create(chat().n(QUEUE + 1).build()))
                .withMessageContaining("at most " + QUEUE);
        assertThatExceptionOfType(NotFoundException.class)
                .isThrownBy(() -> client.chat()
                        .completions()
                        .create(chat().model("another").build()))
                .satisfies(e -> assertThat(e.code()).contains("model_not_found"));
    }

    @Test
    void requestsThatAreNone_areRefused() throws IOException, InterruptedException {
        assertThat(post("{\"model\": ").path("error").path("message").asText()).startsWith("body: expected JSON");
        assertThat(post("[]").path("error").path("type").asText()).isEqualTo("invalid_request_error");
        assertThat(post("{\"messages\": []}").path("error").path("message").asText())
                .startsWith("messages: expected an array of at least one");
        assertThat(post("{\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"image_url\"}]}]}")
                        .path("error")
                        .path("message")
                        .asText())
                .contains("expected a part of type text, got \"image_url\"");
        assertThat(post("{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"n\": \"x\"}")
                        .path("error")
                        .path("message")
                        .asText())
                .isEqualTo("n: expected a whole number >= 1, got \"x\"");
    }

    private static JsonNode post(String body) throws IOException, InterruptedException {
        try (HttpClient http = HttpClient.newHttpClient()) {
            HttpResponse<String> response = http.send(
                    HttpRequest.newBuilder(URI.create(address() + "/chat/completions"))
                            .POST(HttpRequest.BodyPublishers.ofString(body))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            assertThat(response.statusCode()).isEqualTo(400);
            return new ObjectMapper().readTree(response.body());
        }
    }

    /// More than the queue holds at once: each is answered, or told to come again.
    @Test
    void fullQueue_isSaid() throws Exception {
        ChatCompletionCreateParams params = chat().n(QUEUE)
                .maxCompletionTokens(64)
                .putAdditionalBodyProperty("ignore_eos", JsonValue.from(true))
                .build();
        List<Future<ChatCompletion>> answers = new ArrayList<>();
        int refused = 0;
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 6; i++) {
                answers.add(threads.submit(() -> client.chat().completions().create(params)));
            }
            for (Future<ChatCompletion> answer : answers) {
                try {
                    assertThat(answer.get().choices()).hasSize(QUEUE);
                } catch (java.util.concurrent.ExecutionException e) {
                    assertThat(e.getCause())
                            .isInstanceOfSatisfying(
                                    RateLimitException.class,
                                    limit -> assertThat(limit.headers().values("Retry-After"))
                                            .containsExactly("1"));
                    refused++;
                }
            }
        }
        assertThat(refused).isBetween(1, 5);
    }

    @Test
    void clientThatGoesAway_isNotComputedFor() {
        long before = engine.stats().completionTokens();
        try (StreamResponse<ChatCompletionChunk> stream = client.chat()
                .completions()
                .createStreaming(chat().maxCompletionTokens(4000)
                        .putAdditionalBodyProperty("ignore_eos", JsonValue.from(true))
                        .build())) {
            assertThat(stream.stream().limit(2).toList()).hasSize(2);
        }
        while (engine.stats().running() > 0) {
            LockSupport.parkNanos(1_000_000);
        }
        assertThat(engine.stats().completionTokens() - before).isLessThan(4000);
    }
}
