package io.millrace.udf;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.DoublePredicate;
import org.jspecify.annotations.Nullable;

/// What a row asks for in place of the run's own sampling: the fields of a request's body in OpenAI's form that
/// say how it is answered. A field that is absent or null leaves what the run has. A field that nobody knows is
/// refused: an answer given without regard to it would look like one given with it.
final class RowParameters {
    /// Most likeliest tokens that are told, as OpenAI has it.
    static final int MAX_TOP_LOGPROBS = 20;

    private static final ObjectMapper JSON =
            new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private static final Set<String> KNOWN = new TreeSet<>(Set.of(
            "temperature",
            "top_p",
            "top_k",
            "min_p",
            "max_tokens",
            "max_completion_tokens",
            "seed",
            "stop",
            "n",
            "logprobs",
            "top_logprobs"));

    private final JsonNode body;

    private RowParameters(JsonNode body) {
        this.body = body;
    }

    /// @param json null for a row that asks for nothing of its own
    /// @throws IllegalArgumentException if it is no JSON object, or has a field that is not known
    static RowParameters of(@Nullable String json) {
        if (json == null) {
            return new RowParameters(JsonNodeFactory.instance.objectNode());
        }
        try {
            JsonNode body = JSON.readTree(json);
            if (!body.isObject()) {
                throw new IllegalArgumentException("parameters: expected a JSON object, got " + kind(body));
            }
            for (Map.Entry<String, JsonNode> field : body.properties()) {
                if (!KNOWN.contains(field.getKey())) {
                    throw new IllegalArgumentException(
                            "parameters." + field.getKey() + ": expected one of " + KNOWN + ", got " + field.getKey());
                }
            }
            return new RowParameters(body);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(
                    "parameters: expected a JSON object, got " + e.getOriginalMessage() + " at character "
                            + e.getLocation().getColumnNr(),
                    e);
        }
    }

    /// How many of the run's samples the row has.
    ///
    /// @param run the run's samples, of which a row cannot have more
    int samples(int run) {
        if (!has("n")) {
            return run;
        }
        int samples = (int) whole("n", 1, Integer.MAX_VALUE);
        if (samples > run) {
            throw wrong("n", "at most the run's sampling.samples of " + run);
        }
        return samples;
    }

    /// The seed from which the row's samples have theirs; null for the run's.
    @Nullable
    Long seed() {
        return has("seed") ? whole("seed", Long.MIN_VALUE, Long.MAX_VALUE) : null;
    }

    /// The run's sampling with the row's in its place.
    SamplingRecipe over(SamplingRecipe run) {
        return new SamplingRecipe(
                number("temperature", ">= 0", value -> value >= 0 && Double.isFinite(value), run.temperature()),
                number("top_p", "in (0, 1]", value -> value > 0 && value <= 1, run.topP()),
                has("top_k") ? (int) whole("top_k", 0, Integer.MAX_VALUE) : run.topK(),
                number("min_p", "in [0, 1)", value -> value >= 0 && value < 1, run.minP()),
                maxTokens(run.maxTokens()),
                has("stop") ? stop() : run.stop(),
                run.seed(),
                run.samples(),
                run.beams(),
                run.lengthPenalty(),
                logprobs(run.logprobs()));
    }

    private int maxTokens(int run) {
        String name = has("max_completion_tokens") ? "max_completion_tokens" : "max_tokens";
        return has(name) ? (int) whole(name, 1, Integer.MAX_VALUE) : run;
    }

    private List<String> stop() {
        JsonNode stop = body.path("stop");
        List<String> texts = new ArrayList<>();
        for (JsonNode text : stop.isArray() ? stop : List.of(stop)) {
            if (!text.isTextual() || text.textValue().isEmpty()) {
                throw wrong("stop", "a text that is not empty, or an array of those");
            }
            texts.add(text.textValue());
        }
        return texts;
    }

    /// Of a conversation `logprobs` is true or false and `top_logprobs` a number; of a text `logprobs` is the
    /// number.
    private int logprobs(int run) {
        JsonNode asked = body.path("logprobs");
        if (asked.isIntegralNumber()) {
            return (int) whole("logprobs", 0, MAX_TOP_LOGPROBS);
        }
        if (has("logprobs") && !asked.isBoolean()) {
            throw wrong("logprobs", "true, false or a number of tokens");
        }
        if (has("top_logprobs") && !asked.asBoolean(false)) {
            throw wrong("top_logprobs", "logprobs true beside it");
        }
        if (!has("logprobs")) {
            return run;
        }
        if (!asked.booleanValue()) {
            return -1;
        }
        return has("top_logprobs") ? (int) whole("top_logprobs", 0, MAX_TOP_LOGPROBS) : 0;
    }

    private boolean has(String name) {
        return body.hasNonNull(name);
    }

    private double number(String name, String expected, DoublePredicate holds, double run) {
        if (!has(name)) {
            return run;
        }
        JsonNode value = body.path(name);
        if (!value.isNumber() || !holds.test(value.doubleValue())) {
            throw wrong(name, "a number " + expected);
        }
        return value.doubleValue();
    }

    private long whole(String name, long least, long most) {
        JsonNode value = body.path(name);
        if (!value.isIntegralNumber()
                || !value.canConvertToLong()
                || value.longValue() < least
                || value.longValue() > most) {
            throw wrong(name, least == Long.MIN_VALUE ? "a whole number" : "a whole number from " + least + " to " + most);
        }
        return value.longValue();
    }

    private IllegalArgumentException wrong(String name, String expected) {
        return new IllegalArgumentException(
                "parameters." + name + ": expected " + expected + ", got " + kind(body.path(name)));
    }

    private static String kind(JsonNode value) {
        if (value.isMissingNode()) {
            return "nothing";
        }
        String json = value.toString();
        return json.length() <= 100 ? json : json.substring(0, 100) + "…";
    }
}
