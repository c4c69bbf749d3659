package io.millrace.jobs.serve;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.LocalEngine;
import io.millrace.engine.api.OutputForm;
import io.millrace.engine.api.SamplingParams;
import io.millrace.engine.api.TokenIds;
import io.millrace.engine.chat.ChatMessage;
import io.millrace.engine.chat.ChatMessages;
import io.millrace.engine.chat.DeepSeekV4Chat;
import io.millrace.engine.chat.PromptText;
import io.millrace.engine.chat.ThinkingMode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// What one request asks for, understood and checked.
///
/// @param chat how the model answers in a conversation; null for plain text
/// @param tools whether the model was told of tools, so that calls of them are looked for in its answer
/// @param begun what of each answer the prompt gave, to have a tool called; empty for nothing
/// @param echo whether an answer begins with its prompt
/// @param prompts of each choice, `samples` times
/// @param samples choices for each prompt
/// @param sampling of the first choice; the others have the seeds that follow
/// @param logprobs how many likeliest tokens are told beside the chosen one; -1 for none and not that
///     either
/// @param stream whether the answer is sent as it grows
/// @param streamUsage whether a stream ends with the tokens spent
record Wish(
        @Nullable ThinkingMode chat,
        boolean tools,
        String begun,
        boolean echo,
        List<TokenIds> prompts,
        int samples,
        SamplingParams sampling,
        int logprobs,
        boolean stream,
        boolean streamUsage) {
    private static final int MAX_SAMPLES = 128;
    private static final int MAX_LOGPROBS = 20;
    /// OpenAI's default where a text goes on.
    private static final int TEXT_TOKENS = 16;

    /// A request of `/v1/chat/completions`.
    static Wish ofChat(Fields fields, LocalEngine engine, long seed) {
        refuseCommon(fields);
        fields.refuse("modalities", modality(fields) ? "" : "this model writes text only");
        ThinkingMode thinking = thinking(fields);
        boolean tools = tools(fields);
        ObjectNode conversation = JsonNodeFactory.instance.objectNode();
        conversation.set("messages", fields.node("messages"));
        if (tools) {
            conversation.set("tools", fields.node("tools"));
        }
        List<ChatMessage> messages = ChatMessages.parse(conversation.toString());
        TokenIds prompt = engine.encodeChat(messages, thinking);
        PromptText begun = tools ? begun(fields, thinking) : PromptText.ofText("");
        prompt = joined(prompt, begun.encodeIds(engine.tokenizer()));
        OutputForm form = form(fields, thinking);
        if (form != null && !begun.render().isEmpty()) {
            throw ApiException.unsupported(
                    "response_format", "response_format: expected none beside a tool_choice that asks for a call");
        }
        int room = Math.max(1, engine.model().maxPositions() - prompt.size());
        int maxTokens = fields.integer("max_completion_tokens", fields.integer("max_tokens", room, 1), 1);
        int logprobs = -1;
        if (fields.flag("logprobs")) {
            logprobs = top(fields, "top_logprobs", 0);
        } else if (fields.has("top_logprobs")) {
            throw ApiException.invalid("top_logprobs", "top_logprobs: expected logprobs true beside it");
        }
        return of(fields, thinking, tools, begun.render(), false, List.of(prompt), maxTokens, logprobs, seed, form);
    }

    /// A request of `/v1/completions`.
    static Wish ofText(Fields fields, LocalEngine engine, long seed) {
        refuseCommon(fields);
        fields.refuse("suffix", "the model does not fill in the middle");
        if (fields.integer("best_of", 1, 1) > fields.integer("n", 1, 1)) {
            throw ApiException.unsupported("best_of", "best_of: all n choices are returned, none is left out");
        }
        int logprobs = fields.has("logprobs") ? top(fields, "logprobs", -1) : -1;
        boolean echo = fields.flag("echo");
        if (echo && fields.flag("stream")) {
            throw ApiException.unsupported("stream", "stream: expected false beside echo");
        }
        return of(
                fields,
                null,
                false,
                "",
                echo,
                prompts(fields, engine),
                fields.integer("max_tokens", TEXT_TOKENS, 1),
                logprobs,
                seed,
                form(fields, ThinkingMode.CHAT));
    }

    private static Wish of(
            Fields fields,
            @Nullable ThinkingMode chat,
            boolean tools,
            String begun,
            boolean echo,
            List<TokenIds> prompts,
            int maxTokens,
            int logprobs,
            long seed,
            @Nullable OutputForm form) {
        int samples = fields.integer("n", 1, 1);
        if (samples > MAX_SAMPLES) {
            throw ApiException.invalid("n", "n: expected at most " + MAX_SAMPLES + ", got " + samples);
        }
        SamplingParams sampling = new SamplingParams(
                        fields.number("temperature", 1),
                        fields.number("top_p", 1),
                        fields.integer("top_k", 0, 0),
                        fields.number("min_p", 0),
                        maxTokens,
                        fields.texts("stop"),
                        fields.whole("seed", seed),
                        fields.flag("ignore_eos"))
                .withForm(form);
        return new Wish(
                chat,
                tools,
                begun,
                echo,
                prompts,
                samples,
                sampling,
                logprobs,
                fields.flag("stream"),
                fields.node("stream_options").path("include_usage").asBoolean(false));
    }

    private static void refuseCommon(Fields fields) {
        fields.refuse("logit_bias", "the engine does not change the model's probabilities");
        fields.refuse("presence_penalty", "the engine has no penalties; expected 0");
        fields.refuse("frequency_penalty", "the engine has no penalties; expected 0");
    }

    /// The form that answers have; null for any.
    private static @Nullable OutputForm form(Fields fields, ThinkingMode thinking) {
        String schema = switch (fields.node("response_format").path("type").asText("text")) {
            case "text" -> null;
            case "json_object" -> "{\"type\":\"object\"}";
            case "json_schema" -> {
                JsonNode given =
                        fields.node("response_format").path("json_schema").path("schema");
                if (!given.isObject() && !given.isBoolean()) {
                    throw fields.wrong("response_format", "json_schema.schema beside type json_schema");
                }
                yield given.toString();
            }
            default -> throw fields.wrong("response_format", "a type of text, json_object or json_schema");
        };
        return schema == null ? null : new OutputForm(schema, thinking != ThinkingMode.CHAT);
    }

    private static TokenIds joined(TokenIds prompt, int[] more) {
        int[] all = Arrays.copyOf(prompt.toArray(), prompt.size() + more.length);
        System.arraycopy(more, 0, all, prompt.size(), more.length);
        return TokenIds.of(all);
    }

    /// The beginning of an answer that calls the tool that is asked for; nothing where the model may
    /// choose.
    private static PromptText begun(Fields fields, ThinkingMode thinking) {
        JsonNode choice = fields.node("tool_choice");
        if (!fields.has("tool_choice") || choice.asText().equals("auto")) {
            return PromptText.ofText("");
        }
        if (thinking != ThinkingMode.CHAT) {
            throw ApiException.unsupported(
                    "tool_choice", "tool_choice: expected auto or none of a model that reasons first");
        }
        String name = choice.path("function").path("name").asText("");
        if (choice.isObject()) {
            for (JsonNode tool : fields.node("tools")) {
                if (tool.path("function").path("name").asText().equals(name)) {
                    return DeepSeekV4Chat.beginCall(name);
                }
            }
            throw fields.wrong("tool_choice", "one of the tools");
        }
        return DeepSeekV4Chat.beginCall(null);
    }

    private static boolean modality(Fields fields) {
        return fields.texts("modalities").equals(List.of("text"));
    }

    /// Whether the model is to be told of the tools.
    private static boolean tools(Fields fields) {
        JsonNode choice = fields.node("tool_choice");
        String word = choice.isTextual() ? choice.textValue() : "auto";
        if (!choice.isObject() && !List.of("auto", "none", "required").contains(word)) {
            throw fields.wrong("tool_choice", "auto, none, required, or a function by its name");
        }
        return fields.has("tools") && !word.equals("none");
    }

    /// As DeepSeek's own interface says it (`thinking`), as vLLM's does (`chat_template_kwargs`), or as
    /// OpenAI's does (`reasoning_effort`); without a word the model answers at once.
    private static ThinkingMode thinking(Fields fields) {
        String effort = fields.text("reasoning_effort");
        JsonNode type = fields.node("thinking").path("type");
        boolean thinks = type.isTextual()
                ? type.textValue().equals("enabled")
                : fields.node("chat_template_kwargs")
                        .path("thinking")
                        .asBoolean(effort != null && !effort.equals("none"));
        if (!thinks) {
            return ThinkingMode.CHAT;
        }
        return effort != null && effort.toLowerCase(Locale.ROOT).equals("max")
                ? ThinkingMode.THINKING_MAX
                : ThinkingMode.THINKING;
    }

    private static int top(Fields fields, String name, int otherwise) {
        int top = fields.integer(name, otherwise, 0);
        if (top > MAX_LOGPROBS) {
            throw ApiException.invalid(name, name + ": expected at most " + MAX_LOGPROBS + ", got " + top);
        }
        return top;
    }

    /// A text, an array of texts, an array of token ids, or an array of such arrays.
    private static List<TokenIds> prompts(Fields fields, LocalEngine engine) {
        JsonNode prompt = fields.node("prompt");
        boolean many = prompt.isArray() && !prompt.isEmpty() && !prompt.get(0).isNumber();
        List<TokenIds> prompts = new ArrayList<>();
        for (JsonNode one : many ? prompt : List.of(prompt)) {
            prompts.add(one.isTextual() ? engine.encodeText(one.textValue()) : ids(fields, one));
        }
        return prompts;
    }

    private static TokenIds ids(Fields fields, JsonNode array) {
        if (!array.isArray() || array.isEmpty()) {
            throw fields.wrong("prompt", "a text or an array of token ids, or an array of those");
        }
        int[] ids = new int[array.size()];
        for (int at = 0; at < ids.length; at++) {
            if (!array.get(at).isIntegralNumber() || !array.get(at).canConvertToInt()) {
                throw fields.wrong("prompt", "a token id at index " + at);
            }
            ids[at] = array.get(at).intValue();
        }
        return TokenIds.of(ids);
    }

    int choices() {
        return prompts.size() * samples;
    }

    TokenIds prompt(int choice) {
        return prompts.get(choice / samples);
    }

    SamplingParams sampling(int choice) {
        return sampling.withSeed(sampling.seed() + choice % samples);
    }
}
