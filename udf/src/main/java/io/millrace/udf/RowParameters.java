package io.millrace.udf;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.Serial;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.DoublePredicate;
import org.jspecify.annotations.Nullable;

/// What a row asks for in place of the run's own sampling: the fields of a request's body in OpenAI's
/// form that say how it is answered. A field that is absent or null leaves what the run has. A field
/// that nobody knows is refused: an answer given without regard to it would look like one given with it.
final class RowParameters {
    /// Most likeliest tokens that are told, as OpenAI has it.
    static final int MAX_TOP_LOGPROBS = 20;

    private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
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
            "top_logprobs",
            "response_format",
            "tools",
            "tool_choice",
            "thinking",
            "reasoning_effort",
            "chat_template_kwargs"));
    /// Which say nothing of the answer, or what the run has said already.
    private static final Set<String> WITHOUT_EFFECT = Set.of(
            "model",
            "user",
            "metadata",
            "store",
            "stream",
            "stream_options",
            "service_tier",
            "parallel_tool_calls",
            "prompt_cache_key",
            "safety_identifier");
    /// Which may say nothing else than this.
    private static final Map<String, Set<String>> NEUTRAL = Map.of(
            "presence_penalty", Set.of("0", "0.0"),
            "frequency_penalty", Set.of("0", "0.0"),
            "logit_bias", Set.of("{}"),
            "best_of", Set.of("1"),
            "echo", Set.of("false"),
            "suffix", Set.of("\"\""),
            "modalities", Set.of("[\"text\"]"));

    /// What a row asks for cannot be done. Says which field, what was expected and what was found.
    static final class ParametersException extends IllegalArgumentException {
        @Serial
        private static final long serialVersionUID = 1L;

        ParametersException(String message) {
            super(message);
        }

        ParametersException(String message, Throwable cause) {
            super(message, cause);
        }
    }

    private final JsonNode body;

    private RowParameters(JsonNode body) {
        this.body = body;
    }

    /// @param json null for a row that asks for nothing of its own
    /// @throws ParametersException if it is no JSON object, or has a field that is not known
    static RowParameters of(@Nullable String json) {
        if (json == null) {
            return new RowParameters(JsonNodeFactory.instance.objectNode());
        }
        try {
            JsonNode body = JSON.readTree(json);
            if (!body.isObject()) {
                throw new ParametersException("parameters: expected a JSON object, got " + kind(body));
            }
            for (Map.Entry<String, JsonNode> field : body.properties()) {
                requireKnown(field.getKey(), field.getValue());
            }
            return new RowParameters(body);
        } catch (JsonProcessingException e) {
            throw new ParametersException(
                    "parameters: expected a JSON object, got " + e.getOriginalMessage() + " at character "
                            + e.getLocation().getColumnNr(),
                    e);
        }
    }

    private static void requireKnown(String name, JsonNode value) {
        Set<String> neutral = NEUTRAL.get(name);
        if (value.isNull() || KNOWN.contains(name) || WITHOUT_EFFECT.contains(name)) {
            return;
        }
        if (neutral == null) {
            throw new ParametersException("parameters." + name + ": expected one of " + KNOWN + ", got " + name);
        }
        if (!neutral.contains(value.toString())) {
            throw new ParametersException("parameters." + name + ": expected "
                    + neutral.iterator().next() + ", which is all that can be done, got " + kind(value));
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

    /// As DeepSeek's own interface says it (`thinking`), as vLLM's does (`chat_template_kwargs`), or as
    /// OpenAI's does (`reasoning_effort`).
    Thinking thinking(Thinking run) {
        JsonNode effort = body.path("reasoning_effort");
        JsonNode type = body.path("thinking").path("type");
        JsonNode template = body.path("chat_template_kwargs").path("thinking");
        if (has("reasoning_effort") && !effort.isTextual()) {
            throw wrong("reasoning_effort", "a word");
        }
        if (has("thinking") && !List.of("enabled", "disabled").contains(type.asText())) {
            throw wrong("thinking", "{\"type\": \"enabled\"} or {\"type\": \"disabled\"}");
        }
        if (!has("thinking") && !has("reasoning_effort") && !template.isBoolean()) {
            return run;
        }
        boolean thinks = has("thinking")
                ? type.asText().equals("enabled")
                : template.asBoolean(!effort.asText().equals("none"));
        return !thinks ? Thinking.CHAT : effort.asText().equals("max") ? Thinking.MAX : Thinking.THINK;
    }

    /// The schema of the JSON value that the answer has to be; null for any answer.
    @Nullable
    String schema() {
        JsonNode format = body.path("response_format");
        if (!has("response_format")) {
            return null;
        }
        return switch (format.path("type").asText()) {
            case "text" -> null;
            case "json_object" -> "{\"type\":\"object\"}";
            case "json_schema" -> {
                JsonNode schema = format.path("json_schema").path("schema");
                if (schema.isMissingNode() || schema.isNull()) {
                    throw wrong("response_format", "json_schema.schema beside type json_schema");
                }
                yield schema.toString();
            }
            default -> throw wrong("response_format", "a type of text, json_object or json_schema");
        };
    }

    /// The tools that the model is told of, as JSON; null for none.
    @Nullable
    JsonNode tools() {
        if (!has("tools") || choice().equals("none")) {
            return null;
        }
        JsonNode tools = body.path("tools");
        if (!tools.isArray() || tools.isEmpty()) {
            throw wrong("tools", "an array of tools");
        }
        return tools;
    }

    /// Whether the answer has to be a call of a tool.
    boolean mustCall() {
        return tools() != null && !choice().equals("auto");
    }

    /// The tool that has to be called; null for any.
    @Nullable
    String toolToCall() {
        String name = body.path("tool_choice").path("function").path("name").asText("");
        if (name.isEmpty()) {
            return null;
        }
        for (JsonNode tool : body.path("tools")) {
            if (tool.path("function").path("name").asText().equals(name)) {
                return name;
            }
        }
        throw wrong("tool_choice", "one of the tools");
    }

    private String choice() {
        JsonNode choice = body.path("tool_choice");
        String word = !has("tool_choice") ? "auto" : choice.isObject() ? "function" : choice.asText();
        boolean fits = choice.isObject()
                ? choice.path("function").path("name").isTextual()
                : List.of("auto", "none", "required").contains(word);
        if (!fits) {
            throw wrong("tool_choice", "auto, none, required, or a function by its name");
        }
        return word;
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

    /// Of a conversation `logprobs` is true or false and `top_logprobs` a number; of a text `logprobs`
    /// is the number.
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
            throw wrong(
                    name, least == Long.MIN_VALUE ? "a whole number" : "a whole number from " + least + " to " + most);
        }
        return value.longValue();
    }

    private ParametersException wrong(String name, String expected) {
        return new ParametersException(
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
