package io.millrace.engine.decode;

import io.millrace.engine.tokenizer.TokenTextDecoder;
import io.millrace.engine.tokenizer.Tokenizer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The text of a completion as it grows, watched for stop strings.
final class CompletionText {
    private final @Nullable TokenTextDecoder decoder;
    private final List<String> stop;
    private final StringBuilder text = new StringBuilder();

    /// @param tokenizer null for a model without one; the text is then empty
    CompletionText(@Nullable Tokenizer tokenizer, List<String> stop) {
        this.decoder = tokenizer == null ? null : new TokenTextDecoder(tokenizer);
        this.stop = stop;
    }

    /// Adds a token. Returns whether a stop string was met; the text then ends before it.
    boolean accept(int token) {
        return decoder != null && append(decoder.accept(token));
    }

    /// Adds what an unfinished character left behind.
    void finish() {
        if (decoder != null) {
            append(decoder.finish());
        }
    }

    private boolean append(String more) {
        int before = text.length();
        text.append(more);
        int cut = Integer.MAX_VALUE;
        for (String s : stop) {
            // a stop string may have begun in earlier tokens
            int at = text.indexOf(s, Math.max(0, before - s.length() + 1));
            if (at >= 0) {
                cut = Math.min(cut, at);
            }
        }
        if (cut == Integer.MAX_VALUE) {
            return false;
        }
        text.setLength(cut);
        return true;
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
