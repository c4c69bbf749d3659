package io.millrace.udf.served;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.TokenIds;
import io.millrace.engine.chat.ChatMessage;
import io.millrace.engine.chat.ChatOptions;
import io.millrace.engine.chat.DeepSeekV4Chat;
import io.millrace.engine.tokenizer.BpeTokenizer;
import io.millrace.engine.tokenizer.Tokenizer;
import io.millrace.udf.EncodedPrompt;
import io.millrace.udf.Thinking;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// How rows become prompts of a server: as tokens, where the model's tokenizer is at hand, or as
/// messages and texts that the server makes tokens of.
///
/// @param tokenizer null to leave tokens to the server
/// @param tokenizerSha256 over the tokenizer's file
record Prompts(@Nullable Tokenizer tokenizer, String tokenizerSha256) {
    private static final String FILE = "tokenizer.json";
    private static final String THE_SERVERS = "the server's";

    /// @param folder with the tokenizer; null for none
    /// @throws EngineException if the tokenizer cannot be read
    static Prompts of(@Nullable String folder) {
        if (folder == null) {
            return new Prompts(null, THE_SERVERS);
        }
        Path file = Path.of(folder).resolve(FILE);
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
            return new Prompts(BpeTokenizer.read(file), HexFormat.of().formatHex(hash));
        } catch (IOException e) {
            throw new EngineException(
                    ErrorCode.MODEL_UNREADABLE, file + ": expected to be readable, got " + e.getMessage(), e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    Tokenizer required() {
        if (tokenizer == null) {
            throw new EngineException(
                    ErrorCode.BAD_CONFIGURATION,
                    "served.tokenizer: expected a folder with " + FILE + ", since tokens are asked for; got none");
        }
        return tokenizer;
    }

    EncodedPrompt chat(@Nullable String system, String user, Thinking thinking) {
        if (tokenizer != null) {
            return new EncodedPrompt.Tokens(encodeChat(system, user, thinking));
        }
        ArrayNode messages = JsonNodeFactory.instance.arrayNode();
        if (system != null) {
            messages.addObject().put("role", "system").put("content", system);
        }
        messages.addObject().put("role", "user").put("content", user);
        return new EncodedPrompt.Messages(messages.toString(), thinking);
    }

    TokenIds encodeChat(@Nullable String system, String user, Thinking thinking) {
        List<ChatMessage> messages = new ArrayList<>(2);
        if (system != null) {
            messages.add(ChatMessage.system(system));
        }
        messages.add(ChatMessage.user(user));
        return TokenIds.of(
                DeepSeekV4Chat.encode(messages, ChatOptions.of(thinking.mode())).encodeIds(required()));
    }

    /// The messages as they are, whatever parts they have.
    ///
    /// @throws EngineException INVALID_REQUEST if they are no JSON array
    static EncodedPrompt messages(String json, Thinking thinking) {
        try {
            if (new ObjectMapper().readTree(json).isArray()) {
                return new EncodedPrompt.Messages(json, thinking);
            }
        } catch (JsonProcessingException e) {
            throw new EngineException(
                    ErrorCode.INVALID_REQUEST, "messages: expected JSON, got " + e.getOriginalMessage(), e);
        }
        throw new EngineException(
                ErrorCode.INVALID_REQUEST,
                "messages: expected a JSON array (a server is not told of tools), got " + Health.excerpt(json));
    }

    EncodedPrompt text(String text) {
        return tokenizer == null
                ? new EncodedPrompt.Text(text)
                : new EncodedPrompt.Tokens(TokenIds.of(tokenizer.encodeText(text)));
    }

    /// A server that makes the tokens knows its control tokens itself.
    EncodedPrompt controlText(String text) {
        return tokenizer == null
                ? new EncodedPrompt.Text(text)
                : new EncodedPrompt.Tokens(TokenIds.of(tokenizer.encodeWithControlTokens(text)));
    }

    /// Tokens of a text, if they can be told.
    int count(String text) {
        return tokenizer == null ? 0 : tokenizer.encodeText(text).length;
    }
}
