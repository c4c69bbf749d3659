package io.millrace.udf.served;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.EngineStats;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.ModelSummary;
import io.millrace.engine.api.ScoringRequest;
import io.millrace.engine.api.ScoringResult;
import io.millrace.engine.api.TokenIds;
import io.millrace.udf.EncodedPrompt;
import io.millrace.udf.EngineIdentity;
import io.millrace.udf.EngineRecipe;
import io.millrace.udf.ExecutorPlace;
import io.millrace.udf.PromptEngine;
import io.millrace.udf.PromptRequest;
import io.millrace.udf.ServedRecipe;
import io.millrace.udf.Thinking;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/// An engine that asks a server. Each request has a virtual thread of its own, which asks until there is an
/// answer or no hope; as many as the server takes at a time are under way, the others wait.
///
/// A step, to whoever watches over the engine, is a sign of life: a line of an answer, or a look at a
/// server that starts. A server that gives none is stuck, and given up like any engine.
final class ServedEngine implements PromptEngine {
    private final ServedRecipe recipe;
    private final HttpClient client;
    private final ApiKey key;
    private final Health health;
    private final Server server;
    private final ServedModel model;
    private final Prompts prompts;
    private final ObjectNode extraBody;
    private final int maxInFlight;
    /// Fair, so that a request that must be alone gets its turn.
    private final Semaphore room;
    private final Set<Flight> flights = ConcurrentHashMap.newKeySet();
    private final Counters counters;
    private final ScheduledThreadPoolExecutor timer = newTimer();
    private volatile boolean closed;

    /// Sums since the engine was opened.
    static final class Counters {
        final LongAdder signs = new LongAdder();
        final LongAdder promptTokens = new LongAdder();
        final LongAdder cachedTokens = new LongAdder();
        final LongAdder completionTokens = new LongAdder();
        final LongAdder completed = new LongAdder();
        final LongAdder failed = new LongAdder();
    }

    private ServedEngine(
            EngineRecipe engine,
            ServedRecipe recipe,
            HttpClient client,
            ApiKey key,
            Health health,
            Server server,
            Counters counters,
            ServedModel model,
            Prompts prompts) {
        this.recipe = recipe;
        this.client = client;
        this.key = key;
        this.health = health;
        this.server = server;
        this.counters = counters;
        this.model = model;
        this.prompts = prompts;
        this.extraBody = extraBody(recipe);
        this.maxInFlight = engine.maxRunning();
        this.room = new Semaphore(maxInFlight, true);
    }

    /// Comes to the server and waits until it answers.
    ///
    /// @throws EngineException if it does not
    static ServedEngine open(EngineRecipe engine, ServedRecipe recipe, List<String> cards) {
        ApiKey key = ApiKey.of(recipe.apiKeyVariable());
        Prompts prompts = Prompts.of(recipe.tokenizer());
        Counters counters = new Counters();
        HttpClient client = client(recipe);
        Health health = new Health(client, key, counters.signs::increment);
        Server server = null;
        try {
            server = server(engine, recipe, cards, health);
            server.awaitReady(true);
            if (health.look(server.address()) instanceof Health.Well(String models)) {
                ServedModel model = ServedModel.of(models, recipe.model());
                return new ServedEngine(engine, recipe, client, key, health, server, counters, model, prompts);
            }
            throw new EngineException(ErrorCode.DEVICE_FAILED, "server: answered, and now does not");
        } catch (EngineException e) {
            close(server, client);
            throw e;
        } catch (InterruptedException e) {
            close(server, client);
            Thread.currentThread().interrupt();
            throw new EngineException(ErrorCode.DEVICE_FAILED, "interrupted while the server started", e);
        }
    }

    /// One that was started speaks HTTP/1.1 only, and may be confused by more.
    private static HttpClient client(ServedRecipe recipe) {
        boolean secure = recipe.endpoints().stream().allMatch(endpoint -> endpoint.startsWith("https:"));
        return HttpClient.newBuilder()
                .version(
                        secure && !recipe.endpoints().isEmpty()
                                ? HttpClient.Version.HTTP_2
                                : HttpClient.Version.HTTP_1_1)
                .connectTimeout(Duration.ofSeconds(10))
                .build();
    }

    /// Each executor takes the endpoint of its number.
    private static Server server(EngineRecipe engine, ServedRecipe recipe, List<String> cards, Health health)
            throws InterruptedException {
        List<String> endpoints = recipe.endpoints();
        if (endpoints.isEmpty()) {
            return new StartedServer(engine, recipe, cards, health);
        }
        String executor = ExecutorPlace.ofThisProcess().executorId();
        long number = executor.matches("\\d{1,9}") ? Long.parseLong(executor) : 0;
        URI address = URI.create(endpoints.get((int) (number % endpoints.size())));
        return new GivenServer(address, health, Duration.ofSeconds(recipe.startSeconds()));
    }

    private static ObjectNode extraBody(ServedRecipe recipe) {
        try {
            return (ObjectNode) new ObjectMapper().readTree(recipe.extraBody());
        } catch (JsonProcessingException | ClassCastException e) {
            throw new EngineException(
                    ErrorCode.BAD_CONFIGURATION,
                    "served.extra-body: expected a JSON object, got " + recipe.extraBody(),
                    e);
        }
    }

    /// One thread; an alarm that is off takes no memory.
    private static ScheduledThreadPoolExecutor newTimer() {
        ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(
                1, Thread.ofPlatform().name("millrace-served-timer").daemon().factory());
        timer.setRemoveOnCancelPolicy(true);
        return timer;
    }

    ScheduledExecutorService timer() {
        return timer;
    }

    ApiKey key() {
        return key;
    }

    HttpClient client() {
        return client;
    }

    Server server() {
        return server;
    }

    Counters counters() {
        return counters;
    }

    Duration requestTimeout() {
        return Duration.ofSeconds(recipe.requestSeconds());
    }

    /// Waits, alive to whoever watches over the engine.
    void pause(Duration time) throws InterruptedException {
        health.pause(time);
    }

    /// Waits for a place.
    ///
    /// @param alone whether it takes all of them
    /// @return how many it has taken
    int enter(boolean alone) throws InterruptedException {
        int places = alone ? maxInFlight : 1;
        room.acquire(places);
        return places;
    }

    void leave(int places) {
        room.release(places);
    }

    void landed(Flight flight) {
        flights.remove(flight);
    }

    @Override
    public CompletableFuture<GenerationResult> submit(PromptRequest request) {
        Call call;
        try {
            call = Call.of(request, model.name(), extraBody);
        } catch (EngineException e) {
            counters.failed.increment();
            return CompletableFuture.completedFuture(
                    new GenerationResult.Failed(request.id(), e.code(), String.valueOf(e.getMessage())));
        }
        Flight flight = new Flight(this, request.id(), call);
        flights.add(flight);
        if (closed) {
            flight.abandon("the engine was closed");
        }
        return flight.start();
    }

    @Override
    public CompletableFuture<GenerationResult> submit(GenerationRequest request) {
        return submit(new PromptRequest(request.id(), new EncodedPrompt.Tokens(request.prompt()), request.sampling()));
    }

    @Override
    public CompletableFuture<ScoringResult> score(ScoringRequest request) {
        return CompletableFuture.completedFuture(new GenerationResult.Failed(
                request.id(), ErrorCode.INVALID_REQUEST, "scoring: expected an engine in the executor, got a server"));
    }

    @Override
    public EngineStats stats() {
        int asked = maxInFlight - room.availablePermits();
        return new EngineStats(
                counters.promptTokens.sum(),
                counters.cachedTokens.sum(),
                counters.completionTokens.sum(),
                counters.completed.sum(),
                counters.failed.sum(),
                counters.signs.sum(),
                0,
                0,
                0,
                0,
                asked,
                Math.max(0, flights.size() - asked),
                0,
                0);
    }

    @Override
    public ModelSummary model() {
        return model.summary();
    }

    @Override
    public EncodedPrompt chat(@Nullable String system, String user, Thinking thinking) {
        return prompts.chat(system, user, thinking);
    }

    @Override
    public EncodedPrompt messages(String json, Thinking thinking) {
        return Prompts.messages(json, thinking);
    }

    @Override
    public EncodedPrompt text(String text) {
        return prompts.text(text);
    }

    @Override
    public EncodedPrompt controlText(String text) {
        return prompts.controlText(text);
    }

    @Override
    public TokenIds encodeChat(@Nullable String system, String user, Thinking thinking) {
        return prompts.encodeChat(system, user, thinking);
    }

    @Override
    public TokenIds encodeText(String text) {
        return TokenIds.of(prompts.required().encodeText(text));
    }

    @Override
    public String decode(TokenIds tokens) {
        return prompts.required().decode(tokens.toArray());
    }

    /// What the server tells apart, or the model's own mark does. Reasoning tokens are the server's
    /// count, or else our own.
    @Override
    public Answer answer(GenerationResult.Completed completed, Thinking thinking) {
        String text = completed.text();
        int told = completed.usage().reasoningTokens();
        if (thinking == Thinking.CHAT && told == 0) {
            return new Answer(text, null, 0);
        }
        int at = text.indexOf(Stream.END_THINK);
        if (at < 0) {
            return thinking == Thinking.CHAT
                    ? new Answer(text, null, told)
                    : new Answer("", text, told > 0 ? told : completed.usage().completionTokens());
        }
        String reasoning = text.substring(0, at);
        return new Answer(
                text.substring(at + Stream.END_THINK.length()),
                reasoning,
                told > 0 ? told : prompts.count(reasoning) + 1);
    }

    @Override
    public String revision() {
        return model.revision();
    }

    @Override
    public EngineIdentity identity() {
        return model.identity(prompts.tokenizerSha256());
    }

    @Override
    public String device() {
        return EngineRecipe.SERVED;
    }

    @Override
    public void close() {
        closed = true;
        flights.forEach(flight -> flight.abandon("the engine was closed"));
        timer.shutdownNow();
        close(server, client);
    }

    private static void close(@Nullable Server server, HttpClient client) {
        client.shutdownNow();
        if (server != null) {
            server.close();
        }
    }
}
