package io.millrace.engine.chat;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/// A prompt as a list of segments, which keeps apart what the program wrote and what it was given: only the
/// former may be a control token. A row of a corpus that spells `<｜User｜>` stays text.
///
/// @param segments in order; neighbouring texts are one segment, because a tokenizer would see them as one
public record PromptText(List<Segment> segments) {

    public sealed interface Segment {
        String text();
    }

    /// One control token, by its text.
    public record Control(String text) implements Segment {}

    /// Ordinary text; never empty.
    public record Text(String text) implements Segment {}

    public PromptText {
        segments = joined(segments);
    }

    private static List<Segment> joined(List<Segment> segments) {
        List<Segment> joined = new ArrayList<>();
        StringBuilder text = new StringBuilder();
        for (Segment segment : segments) {
            if (segment instanceof Control) {
                flush(text, joined);
                joined.add(segment);
            } else {
                text.append(segment.text());
            }
        }
        flush(text, joined);
        return List.copyOf(joined);
    }

    private static void flush(StringBuilder text, List<Segment> joined) {
        if (!text.isEmpty()) {
            joined.add(new Text(text.toString()));
            text.setLength(0);
        }
    }

    /// A prompt that is nothing but ordinary text.
    public static PromptText ofText(String text) {
        return new PromptText(List.of(new Text(text)));
    }

    /// The whole prompt as one string. For eyes, logs and servers that tokenise by themselves; encoding it
    /// again would take control spellings in the texts for control tokens.
    public String render() {
        return segments.stream().map(Segment::text).collect(Collectors.joining());
    }

    /// The ids. Equal to the ids of [#render] as long as no text spells a control token.
    ///
    /// @throws EngineException `MODEL_MISMATCH` if the tokenizer lacks one of the control tokens
    public int[] encodeIds(Tokenizer tokenizer) {
        int[][] parts = new int[segments.size()][];
        int size = 0;
        for (int part = 0; part < parts.length; part++) {
            parts[part] = switch (segments.get(part)) {
                case Control control -> new int[] {id(control, tokenizer)};
                case Text text -> tokenizer.encodeText(text.text());
            };
            size = Math.addExact(size, parts[part].length);
        }
        int[] ids = new int[size];
        int end = 0;
        for (int[] part : parts) {
            System.arraycopy(part, 0, ids, end, part.length);
            end += part.length;
        }
        return ids;
    }

    private static int id(Control control, Tokenizer tokenizer) {
        return tokenizer
                .controlId(control.text)
                .orElseThrow(() -> new EngineException(
                        ErrorCode.MODEL_MISMATCH,
                        "the tokenizer has no control token " + control.text + ", which the chat format needs"));
    }

    /// Collects segments.
    static final class Writer {
        private final List<Segment> segments = new ArrayList<>();

        Writer control(String token) {
            segments.add(new Control(token));
            return this;
        }

        Writer text(String text) {
            segments.add(new Text(text));
            return this;
        }

        PromptText prompt() {
            return new PromptText(segments);
        }
    }
}
