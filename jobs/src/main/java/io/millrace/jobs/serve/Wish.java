package io.millrace.jobs.serve;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.LocalEngine;
import io.millrace.engine.api.SamplingParams;
import io.millrace.engine.api.TokenIds;
import io.millrace.engine.chat.ChatMessage;
import io.millrace.engine.chat.ChatMessages;
import io.millrace.engine.chat.ThinkingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// What one request asks for, understood and checked.
///
/// @param chat how the model answers in a conversation; null for plain text
/// @param tools whether the model was told of tools, so that calls of them are looked for in its answer
/// @param prompts of each choice, `samples` times
/// @param samples choices for each prompt
/// @param sampling of the first choice; the others have the seeds that follow
/// @param logprobs how many likeliest tokens are told beside the chosen one; -1 for none and not that either
/// @param stream whether the answer is sent as it grows
/// @param streamUsage whether a stream ends with the tokens spent
record Wish(
        @Nullable ThinkingMode chat,
        boolean tools,
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
        responseFormat(fields);
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
        int room = Math.max(1, engine.model().maxPositions() - prompt.size());
        int maxTokens = fields.integer("max_completion_tokens", fields.integer("max_tokens", room, 1), 1);
        int logprobs = -1;
        if (fields.flag("logprobs")) {
            logprobs = top(fields, "top_logprobs", 0);
        } else if (fields.has("top_logprobs")) {
            throw ApiException.invalid("top_logprobs", "top_logprobs: expected logprobs true beside it");
        }
        return of(fields, thinking, tools, List.of(prompt), maxTokens, logprobs, seed);
    }

    /// A request of `/v1/completions`.
    static Wish ofText(Fields fields, LocalEngine engine, long seed) {
        refuseCommon(fields);
        fields.refuse(
                "echo", "the engine does not tell the probabilities of prompt tokens; ask for the completion only");
        fields.refuse("suffix", "the model does not fill in the middle");
        if (fields.integer("best_of", 1, 1) > fields.integer("n", 1, 1)) {
            throw ApiException.unsupported("best_of", "best_of: all n choices are returned, none is left out");
        }
        int logprobs = fields.has("logprobs") ? top(fields, "logprobs", -1) : -1;
        return of(
                fields,
                null,
                false,
                prompts(fields, engine),
                fields.integer("max_tokens", TEXT_TOKENS, 1),
                logprobs,
                seed);
    }

    private static Wish of(
            Fields fields,
            @Nullable ThinkingMode chat,
            boolean tools,
            List<TokenIds> prompts,
            int maxTokens,
            int logprobs,
            long seed) {
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
                fields.flag("ignore_eos"));
        return new Wish(
                chat,
                tools,
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

    private static void responseFormat(Fields fields) {
        String type = fields.node("response_format").path("type").asText("text");
        if (!type.equals("text")) {
            throw ApiException.unsupported(
                    "response_format",
                    "response_format: expected type text, got " + type + "; the engine cannot constrain its answers");
        }
    }

    private static boolean modality(Fields fields) {
        return fields.texts("modalities").equals(List.of("text"));
    }

    /// Whether the model is to be told of the tools.
    private static boolean tools(Fields fields) {
        JsonNode choice = fields.node("tool_choice");
        String word = choice.isTextual() ? choice.textValue() : "auto";
        if (choice.isObject() || !List.of("auto", "none").contains(word)) {
            throw ApiException.unsupported(
                    "tool_choice",
                    "tool_choice: expected auto or none, got " + Fields.kind(choice)
                            + "; the engine cannot make the model call a tool");
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
        SamplingParams first = sampling;
        return new SamplingParams(
                first.temperature(),
                first.topP(),
                first.topK(),
                first.minP(),
                first.maxTokens(),
                first.stop(),
                first.seed() + choice % samples,
                first.ignoreEos());
    }
}
