package io.millrace.udf.served;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.OutputForm;
import io.millrace.engine.api.SamplingParams;
import io.millrace.udf.EncodedPrompt;
import io.millrace.udf.PromptRequest;
import io.millrace.udf.Thinking;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A request as a server reads it.
///
/// @param path behind the base address
/// @param body JSON
record Call(String path, String body) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /// @param extra fields in place of ours; null ones are left out
    /// @throws EngineException INVALID_REQUEST if no server can be asked for it
    static Call of(PromptRequest request, String model, ObjectNode extra) {
        ObjectNode body = JsonNodeFactory.instance.objectNode().put("model", model);
        String path = switch (request.prompt()) {
            case EncodedPrompt.Messages(String json, Thinking thinking) -> {
                body.set("messages", tree(json));
                if (thinking != Thinking.CHAT) {
                    body.putObject("chat_template_kwargs").put("thinking", true);
                }
                if (thinking == Thinking.MAX) {
                    body.put("reasoning_effort", "max");
                }
                yield "/chat/completions";
            }
            case EncodedPrompt.Text(String text) -> {
                body.put("prompt", text);
                yield "/completions";
            }
            case EncodedPrompt.Tokens tokens -> {
                body.set("prompt", JSON.valueToTree(tokens.ids().toArray()));
                // the end of the reasoning is a control token to some
                body.put("skip_special_tokens", false);
                yield "/completions";
            }
        };
        addSampling(body, request.sampling());
        addLogprobs(body, request.sampling().logprobs(), path.equals("/chat/completions"));
        addForm(body, request.sampling().form());
        body.put("stream", true).putObject("stream_options").put("include_usage", true);
        for (Map.Entry<String, JsonNode> field : extra.properties()) {
            if (field.getValue().isNull()) {
                body.remove(field.getKey());
            } else {
                body.set(field.getKey(), field.getValue());
            }
        }
        return new Call(path, body.toString());
    }

    private static void addSampling(ObjectNode body, SamplingParams sampling) {
        if (sampling.beams() > 1) {
            throw new EngineException(
                    ErrorCode.INVALID_REQUEST, "sampling.beams: expected 1 of a server, got " + sampling.beams());
        }
        body.put("max_tokens", sampling.maxTokens());
        body.put("temperature", sampling.temperature());
        body.put("top_p", sampling.topP());
        body.put("seed", sampling.seed());
        if (!sampling.stop().isEmpty()) {
            body.set("stop", JSON.valueToTree(sampling.stop()));
        }
        // not OpenAI's, so only where they are asked for
        if (sampling.topK() > 0) {
            body.put("top_k", sampling.topK());
        }
        if (sampling.minP() > 0) {
            body.put("min_p", sampling.minP());
        }
    }

    private static void addLogprobs(ObjectNode body, int logprobs, boolean chat) {
        if (logprobs >= 0 && chat) {
            body.put("logprobs", true).put("top_logprobs", logprobs);
        } else if (logprobs >= 0) {
            body.put("logprobs", logprobs);
        }
    }

    private static void addForm(ObjectNode body, @Nullable OutputForm form) {
        if (form != null) {
            body.putObject("response_format")
                    .put("type", "json_schema")
                    .putObject("json_schema")
                    .put("name", "answer")
                    .put("strict", true)
                    .set("schema", tree(form.jsonSchema()));
        }
    }

    private static JsonNode tree(String json) {
        try {
            return JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new EngineException(
                    ErrorCode.INVALID_REQUEST, "request: expected JSON, got " + e.getOriginalMessage(), e);
        }
    }
}
