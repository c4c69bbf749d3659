package io.millrace.jobs.serve;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.chat.ChatMessage;
import io.millrace.engine.chat.DeepSeekV4Chat;
import io.millrace.engine.chat.ThinkingMode;
import io.millrace.engine.chat.ToolCall;
import java.util.ArrayList;
import java.util.List;

/// What the model wrote, taken apart: reasoning, answer, calls of tools.
///
/// @param reasoning empty if there is none
/// @param content empty if there is none
record Reply(String reasoning, String content, List<ToolCall> calls) {
    static final String END_THINK = "</think>";
    static final String TOOL_CALLS = "\n\n<｜DSML｜tool_calls";

    /// The reply of a whole text. Calls of tools that do not follow the format stay what they are, text.
    static Reply of(Wish wish, String answer) {
        String text = wish.begun() + answer;
        if (wish.tools() && text.contains(TOOL_CALLS)) {
            try {
                ChatMessage message = DeepSeekV4Chat.parseAnswer(text, mode(wish));
                return new Reply(message.reasoningContent(), message.content(), message.toolCalls());
            } catch (EngineException _) {
                return split(wish, text);
            }
        }
        return split(wish, text);
    }

    /// A text cut before its reasoning ended is reasoning only.
    private static Reply split(Wish wish, String text) {
        if (mode(wish) == ThinkingMode.CHAT) {
            return new Reply("", text, List.of());
        }
        int at = text.indexOf(END_THINK);
        return at < 0
                ? new Reply(text, "", List.of())
                : new Reply(text.substring(0, at), text.substring(at + END_THINK.length()), List.of());
    }

    private static ThinkingMode mode(Wish wish) {
        return wish.chat() == null ? ThinkingMode.CHAT : wish.chat();
    }

    /// The reply so far of a text that still grows: without an end that may become something else.
    static Reply soFar(Wish wish, String answer) {
        String text = wish.begun() + answer;
        List<String> ends = new ArrayList<>(wish.sampling().stop());
        if (wish.tools()) {
            ends.add(TOOL_CALLS);
        }
        int end = text.length();
        for (String mark : ends) {
            int found = text.indexOf(mark);
            end = Math.min(end, found < 0 ? beginning(mark, text) : found);
        }
        if (mode(wish) != ThinkingMode.CHAT) {
            end = Math.min(end, beginning(END_THINK, text));
        }
        return split(wish, text.substring(0, end));
    }

    /// Where the text's end is the beginning of a mark; the text's length if it is not.
    private static int beginning(String mark, String text) {
        for (int at = Math.max(0, text.length() - mark.length() + 1); at < text.length(); at++) {
            if (mark.startsWith(text.substring(at))) {
                return at;
            }
        }
        return text.length();
    }

    String finishReason(GenerationResult.Completed completed) {
        return calls.isEmpty() ? completed.finishReason().wireName() : "tool_calls";
    }
}
