package io.millrace.udf;

import io.millrace.engine.api.TokenIds;
import java.util.function.Function;

/// A prompt in the form its engine takes: the tokens themselves, or what a server makes tokens of.
public sealed interface EncodedPrompt {

    /// Tokens, control tokens included; 0 if only the server can tell.
    int size();

    /// The prompt for eyes, and for the hash that a row keeps of it.
    String spelled(Function<TokenIds, String> decode);

    /// Tokens, control tokens included.
    record Tokens(TokenIds ids) implements EncodedPrompt {
        @Override
        public int size() {
            return ids.size();
        }

        @Override
        public String spelled(Function<TokenIds, String> decode) {
            return decode.apply(ids);
        }
    }

    /// A prompt that gives the beginning of the answer.
    ///
    /// @param begun that beginning, spelt out
    record Begun(EncodedPrompt prompt, String begun) {}

    /// A conversation.
    ///
    /// @param json array of messages in OpenAI's form
    record Messages(String json, Thinking thinking) implements EncodedPrompt {
        @Override
        public int size() {
            return 0;
        }

        @Override
        public String spelled(Function<TokenIds, String> decode) {
            return json;
        }
    }

    /// A text to go on with.
    record Text(String text) implements EncodedPrompt {
        @Override
        public int size() {
            return 0;
        }

        @Override
        public String spelled(Function<TokenIds, String> decode) {
            return text;
        }
    }
}
