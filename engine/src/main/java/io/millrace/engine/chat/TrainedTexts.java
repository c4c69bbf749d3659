package io.millrace.engine.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import java.io.IOException;
import java.io.InputStream;

/// The literal texts of the prompt format, from `deepseek-v4-prompts.json`; that file says where they come
/// from.
///
/// @param tools with `{dsml}` and `{schemas}` in it
/// @param maxEffort stands at the very beginning of a conversation in the highest thinking mode
/// @param responseFormat with `{schema}` in it
record TrainedTexts(String tools, String maxEffort, String responseFormat) {
    private static final String RESOURCE = "deepseek-v4-prompts.json";

    static final TrainedTexts DEEPSEEK_V4 = read();

    private static TrainedTexts read() {
        try (InputStream in = TrainedTexts.class.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new EngineException(ErrorCode.INTERNAL, RESOURCE + ": missing beside " + TrainedTexts.class);
            }
            JsonNode texts = JsonMapper.builder().build().readTree(in);
            return new TrainedTexts(
                    texts.required("tools").textValue(),
                    texts.required("max_effort").textValue(),
                    texts.required("response_format").textValue());
        } catch (IOException e) {
            throw new EngineException(ErrorCode.INTERNAL, RESOURCE + ": " + e, e);
        }
    }
}
