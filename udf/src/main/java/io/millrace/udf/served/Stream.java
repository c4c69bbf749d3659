package io.millrace.udf.served;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.engine.api.FinishReason;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.TokenIds;
import io.millrace.engine.api.TokenLogprob;
import io.millrace.udf.served.ServerFault.Kind;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A completion as it comes in, event by event. It counts only when it is whole: with a reason why it
/// ended and the tokens it took. Confined to one thread.
final class Stream {
    /// Between reasoning and answer where a server tells them apart, as the model itself writes it.
    static final String END_THINK = "</think>";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String DATA = "data:";
    /// Of a token whose id a server does not tell.
    private static final int NO_ID = -1;

    private final long submittedNanos;
    private final long sentNanos;
    private final StringBuilder reasoning = new StringBuilder();
    private final StringBuilder text = new StringBuilder();
    private final List<TokenLogprob> told = new ArrayList<>();
    private int reasoningParts;
    private double logprobSum;
    private int logprobs;
    private long firstNanos;
    private @Nullable String finishReason;
    private @Nullable JsonNode usage;

    /// @param sentNanos when the request went out
    Stream(long submittedNanos, long sentNanos) {
        this.submittedNanos = submittedNanos;
        this.sentNanos = sentNanos;
    }

    /// Reads to the end.
    ///
    /// @param alive told of every line
    /// @throws IOException if the connection breaks
    /// @throws ServerFault if what comes is not a whole answer
    void read(InputStream in, Runnable alive) throws IOException, ServerFault {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                alive.run();
                if (line.startsWith(DATA)) {
                    String data = line.substring(DATA.length()).strip();
                    if (data.equals("[DONE]")) {
                        break;
                    }
                    accept(event(data));
                }
            }
        }
        if (finishReason == null) {
            throw new ServerFault(
                    Kind.LOST, "answer: expected a finish_reason, got an end after " + text.length() + " characters");
        }
        if (usage == null) {
            throw new ServerFault(
                    Kind.REFUSED, "answer: expected usage in its last event (stream_options.include_usage), got none");
        }
    }

    private static JsonNode event(String data) throws ServerFault {
        try {
            return JSON.readTree(data);
        } catch (JsonProcessingException _) {
            throw new ServerFault(Kind.LOST, "answer: expected an event in JSON, got " + Health.excerpt(data));
        }
    }

    private void accept(JsonNode event) throws ServerFault {
        if (event.hasNonNull("error")) {
            throw new ServerFault(
                    Kind.FAILED,
                    "answer broken off: " + Health.excerpt(event.path("error").toString()));
        }
        if (event.hasNonNull("usage")) {
            usage = event.path("usage");
        }
        JsonNode choice = event.path("choices").path(0);
        JsonNode delta = choice.path("delta");
        JsonNode thought =
                delta.hasNonNull("reasoning_content") ? delta.path("reasoning_content") : delta.path("reasoning");
        append(reasoning, thought);
        reasoningParts += thought.asText("").isEmpty() ? 0 : 1;
        append(text, delta.path("content"));
        append(text, choice.path("text"));
        for (JsonNode token : choice.path("logprobs").path("content")) {
            List<TokenLogprob.Likely> top = new ArrayList<>();
            token.path("top_logprobs")
                    .forEach(other -> top.add(new TokenLogprob.Likely(
                            NO_ID,
                            other.path("token").asText(),
                            other.path("logprob").asDouble())));
            add(token.path("token").asText(), token.path("logprob"), top);
        }
        JsonNode texts = choice.path("logprobs");
        for (int at = 0; at < texts.path("token_logprobs").size(); at++) {
            List<TokenLogprob.Likely> top = new ArrayList<>();
            texts.path("top_logprobs")
                    .path(at)
                    .properties()
                    .forEach(other -> top.add(new TokenLogprob.Likely(
                            NO_ID, other.getKey(), other.getValue().asDouble())));
            add(
                    texts.path("tokens").path(at).asText(),
                    texts.path("token_logprobs").path(at),
                    top);
        }
        if (choice.hasNonNull("finish_reason")) {
            finishReason = choice.path("finish_reason").asText();
        }
    }

    private void append(StringBuilder to, JsonNode part) {
        if (part.isTextual() && !part.textValue().isEmpty()) {
            to.append(part.textValue());
            firstNanos = firstNanos == 0 ? System.nanoTime() : firstNanos;
        }
    }

    private void add(String token, JsonNode logprob, List<TokenLogprob.Likely> top) {
        if (logprob.isNumber()) {
            top.sort(Comparator.comparingDouble(TokenLogprob.Likely::logprob).reversed());
            told.add(new TokenLogprob(NO_ID, token, logprob.doubleValue(), top));
            logprobSum += logprob.doubleValue();
            logprobs++;
        }
    }

    /// The whole answer.
    ///
    /// @throws ServerFault if it ended for a reason that makes it none
    GenerationResult.Completed completed(String requestId) throws ServerFault {
        JsonNode spent = java.util.Objects.requireNonNull(usage, "read");
        long now = System.nanoTime();
        long first = firstNanos == 0 ? now : firstNanos;
        return new GenerationResult.Completed(
                requestId,
                TokenIds.EMPTY,
                reasoning.isEmpty() ? text.toString() : reasoning + END_THINK + text,
                finish(),
                logprobs == 0 ? Double.NaN : logprobSum / logprobs,
                new GenerationResult.Usage(
                        spent.path("prompt_tokens").asInt(),
                        cachedTokens(spent),
                        spent.path("completion_tokens").asInt(),
                        spent.path("completion_tokens_details")
                                .path("reasoning_tokens")
                                .asInt(reasoningParts)),
                new GenerationResult.Timing(
                        millis(submittedNanos, sentNanos), millis(sentNanos, first), millis(first, now)),
                told);
    }

    /// As OpenAI says it, or as DeepSeek does.
    private static int cachedTokens(JsonNode usage) {
        return usage.path("prompt_tokens_details")
                .path("cached_tokens")
                .asInt(usage.path("prompt_cache_hit_tokens").asInt());
    }

    private FinishReason finish() throws ServerFault {
        return switch (String.valueOf(finishReason)) {
            case "stop", "tool_calls", "function_call" -> FinishReason.STOP;
            case "length" -> FinishReason.LENGTH;
            case "insufficient_system_resource" ->
                throw new ServerFault(Kind.FAILED, "answer broken off: insufficient_system_resource");
            case String other ->
                throw new ServerFault(
                        Kind.REFUSED, "finish_reason: expected stop or length, got " + Health.excerpt(other));
        };
    }

    private static double millis(long from, long to) {
        return (to - from) / 1e6;
    }
}
