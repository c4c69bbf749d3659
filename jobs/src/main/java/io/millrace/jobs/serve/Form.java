package io.millrace.jobs.serve;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.chat.ToolCall;
import io.millrace.engine.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// How answers are written: those of a conversation, and those of a text that goes on.
enum Form {
    CHAT("chat.completion", "chat.completion.chunk", "chatcmpl-") {
        @Override
        ObjectNode whole(String id, int index, Reply reply) {
            ObjectNode choice = JsonNodeFactory.instance.objectNode().put("index", index);
            ObjectNode message = choice.putObject("message").put("role", "assistant");
            message.put("content", reply.content().isEmpty() && !reply.calls().isEmpty() ? null : reply.content());
            if (!reply.reasoning().isEmpty()) {
                message.put("reasoning_content", reply.reasoning());
            }
            addCalls(message, id, index, reply, false);
            return choice;
        }

        @Override
        @Nullable
        ObjectNode first(int index) {
            ObjectNode choice = JsonNodeFactory.instance.objectNode().put("index", index);
            choice.putObject("delta").put("role", "assistant").put("content", "");
            return choice.putNull("logprobs").putNull("finish_reason");
        }

        @Override
        ObjectNode part(String id, int index, Reply more) {
            ObjectNode choice = JsonNodeFactory.instance.objectNode().put("index", index);
            ObjectNode delta = choice.putObject("delta");
            if (!more.content().isEmpty()) {
                delta.put("content", more.content());
            }
            if (!more.reasoning().isEmpty()) {
                delta.put("reasoning_content", more.reasoning());
            }
            addCalls(delta, id, index, more, true);
            return choice;
        }

        @Override
        ObjectNode logprobs(List<Chosen> tokens, Tokenizer tokenizer, int textOffset) {
            ObjectNode logprobs = JsonNodeFactory.instance.objectNode();
            logprobs.putArray("content");
            for (Chosen token : tokens) {
                ObjectNode entry = entry(token, tokenizer);
                entry.putArray("top_logprobs");
                token.likeliest()
                        .forEach(other -> entry.withArray("top_logprobs").add(entry(other, tokenizer)));
                logprobs.withArray("content").add(entry);
            }
            return logprobs;
        }
    },
    TEXT("text_completion", "text_completion", "cmpl-") {
        @Override
        ObjectNode whole(String id, int index, Reply reply) {
            return part(id, index, reply);
        }

        @Override
        @Nullable
        ObjectNode first(int index) {
            return null;
        }

        @Override
        ObjectNode part(String id, int index, Reply more) {
            return JsonNodeFactory.instance.objectNode().put("index", index).put("text", more.content());
        }

        @Override
        ObjectNode logprobs(List<Chosen> tokens, Tokenizer tokenizer, int textOffset) {
            ObjectNode logprobs = JsonNodeFactory.instance.objectNode();
            for (String name : new String[] {"tokens", "token_logprobs", "top_logprobs", "text_offset"}) {
                logprobs.putArray(name);
            }
            int offset = textOffset;
            for (Chosen token : tokens) {
                String text = text(token, tokenizer);
                logprobs.withArray("tokens").add(text);
                if (Double.isNaN(token.logprob())) {
                    logprobs.withArray("token_logprobs").addNull();
                    logprobs.withArray("top_logprobs").addNull();
                } else {
                    logprobs.withArray("token_logprobs").add(token.logprob());
                    ObjectNode top = logprobs.withArray("top_logprobs").addObject();
                    token.likeliest().forEach(other -> top.put(text(other, tokenizer), other.logprob()));
                }
                logprobs.withArray("text_offset").add(offset);
                offset += text.length();
            }
            return logprobs;
        }
    };

    private final String object;
    private final String chunkObject;
    private final String prefix;

    Form(String object, String chunkObject, String prefix) {
        this.object = object;
        this.chunkObject = chunkObject;
        this.prefix = prefix;
    }

    /// Of the ids of answers.
    String prefix() {
        return prefix;
    }

    /// The word for what is sent.
    String object(boolean stream) {
        return stream ? chunkObject : object;
    }

    /// A choice that is complete, without `logprobs` and `finish_reason`.
    abstract ObjectNode whole(String id, int index, Reply reply);

    /// What a stream begins a choice with; null for nothing.
    abstract @Nullable ObjectNode first(int index);

    /// What has come to a choice, without `logprobs` and `finish_reason`.
    abstract ObjectNode part(String id, int index, Reply more);

    /// @param textOffset characters of the choice before these tokens
    abstract ObjectNode logprobs(List<Chosen> tokens, Tokenizer tokenizer, int textOffset);

    private static void addCalls(ObjectNode message, String id, int index, Reply reply, boolean numbered) {
        for (int at = 0; at < reply.calls().size(); at++) {
            ToolCall call = reply.calls().get(at);
            ObjectNode entry = message.withArray("tool_calls").addObject();
            if (numbered) {
                entry.put("index", at);
            }
            entry.put("id", "call_" + id + "_" + index + "_" + at).put("type", "function");
            entry.putObject("function").put("name", call.name()).put("arguments", call.arguments());
        }
    }

    private static ObjectNode entry(Chosen token, Tokenizer tokenizer) {
        ObjectNode entry = JsonNodeFactory.instance.objectNode();
        entry.put("token", text(token, tokenizer))
                .put("logprob", token.logprob())
                .putArray("bytes");
        for (byte b : tokenizer.bytes(token.token())) {
            entry.withArray("bytes").add(b & 0xFF);
        }
        return entry;
    }

    private static String text(Chosen token, Tokenizer tokenizer) {
        return new String(tokenizer.bytes(token.token()), StandardCharsets.UTF_8);
    }
}
