package io.millrace.engine.chat;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Reads one completion from front to back. Strict: what does not follow the format is an error, never
/// mended.
final class CompletionParser {
    private static final String CALLS = "<" + DeepSeekV4Chat.DSML + "tool_calls";
    private static final String END_CALLS = "</" + DeepSeekV4Chat.DSML + "tool_calls>";
    private static final String INVOKE = "<" + DeepSeekV4Chat.DSML + "invoke";
    private static final String END_INVOKE = "</" + DeepSeekV4Chat.DSML + "invoke";
    private static final String PARAMETER = "<" + DeepSeekV4Chat.DSML + "parameter";
    private static final String END_PARAMETER = "/" + DeepSeekV4Chat.DSML + "parameter";
    private static final Pattern PARAMETER_HEAD = Pattern.compile("\" string=\"(true|false)\">");
    private static final List<String> NEVER_IN_TEXT = List.of(
            DeepSeekV4Chat.BOS,
            DeepSeekV4Chat.EOS,
            DeepSeekV4Chat.THINK,
            DeepSeekV4Chat.END_THINK,
            DeepSeekV4Chat.DSML);

    private final String text;
    private int at;
    // the mark that ended the part read last; empty at the end of the text
    private String mark = "";

    CompletionParser(String text) {
        this.text = text;
    }

    ChatMessage parse(ThinkingMode mode) {
        String reasoning = "";
        if (mode.isThinking()) {
            reasoning = readUntil(DeepSeekV4Chat.END_THINK, "\n\n" + CALLS);
            expect(mark.equals(DeepSeekV4Chat.END_THINK), "</think> behind the reasoning");
        }
        String content = readUntil(DeepSeekV4Chat.EOS, "\n\n" + CALLS);
        expect(!mark.isEmpty(), "the end token");
        List<ToolCall> calls = List.of();
        if (!mark.equals(DeepSeekV4Chat.EOS)) {
            calls = toolCalls();
            expect(readUntil(DeepSeekV4Chat.EOS).isEmpty(), "nothing but the end token behind the tool calls");
        }
        expect(at == text.length(), "nothing behind the end token");
        checkHasNoMarker(reasoning, "reasoning");
        checkHasNoMarker(content, "content");
        return new ChatMessage(ChatRole.ASSISTANT, content, reasoning, List.of(), calls, "", null, null, false);
    }

    private List<ToolCall> toolCalls() {
        List<ToolCall> calls = new ArrayList<>();
        while (true) {
            expect(readUntil(INVOKE, END_CALLS).equals(">\n") && !mark.isEmpty(), "a tool call or the end of them");
            if (mark.equals(END_CALLS)) {
                return calls;
            }
            calls.add(toolCall());
        }
    }

    private ToolCall toolCall() {
        String head = readUntil(PARAMETER, END_INVOKE).stripLeading();
        // a call without parameters is written with an empty line
        head = head.endsWith("\n\n") ? head.substring(0, head.length() - 1) : head;
        expect(head.startsWith("name=\"") && head.endsWith("\">\n") && head.length() >= 9, "name=\"…\" of a tool");
        String name = head.substring("name=\"".length(), head.length() - "\">\n".length());
        Map<String, String> arguments = new LinkedHashMap<>();
        while (mark.equals(PARAMETER)) {
            addParameter(arguments);
            expect(readUntil(PARAMETER, END_INVOKE).equals(">\n"), "a parameter or the end of the call");
        }
        expect(mark.equals(END_INVOKE), "the end of the call of " + name);
        List<String> members = new ArrayList<>();
        arguments.forEach((key, json) -> members.add(PythonJson.write(key) + ": " + json));
        return new ToolCall("", name, "{" + String.join(", ", members) + "}");
    }

    private void addParameter(Map<String, String> arguments) {
        String parameter = readUntil(END_PARAMETER);
        Matcher head = PARAMETER_HEAD.matcher(parameter);
        expect(
                mark.equals(END_PARAMETER) && parameter.startsWith(" name=\"") && head.find(" name=\"".length()),
                "name=\"…\" string=\"true|false\" of a parameter");
        expect(parameter.endsWith("<"), "</" + END_PARAMETER.substring(1));
        String name = parameter.substring(" name=\"".length(), head.start());
        String value = parameter.substring(head.end(), parameter.length() - 1);
        String json = head.group(1).equals("true") ? PythonJson.write(value) : value;
        expect(arguments.putIfAbsent(name, json) == null, "parameter " + name + " only once");
    }

    /// The text up to the first of the marks, which is consumed too, or up to the end.
    private String readUntil(String... marks) {
        int start = at;
        int end = text.length();
        mark = "";
        for (String candidate : marks) {
            int found = text.indexOf(candidate, start);
            if (found >= 0 && found < end) {
                end = found;
                mark = candidate;
            }
        }
        at = end + mark.length();
        return text.substring(start, end);
    }

    private void expect(boolean holds, String what) {
        if (!holds) {
            String seen = text.substring(Math.max(0, at - 40), at);
            throw new EngineException(
                    ErrorCode.INVALID_REQUEST,
                    "completion: expected " + what + " before offset " + at + " of " + text.length() + ", got …\""
                            + seen + "\"");
        }
    }

    private static void checkHasNoMarker(String part, String name) {
        for (String marker : NEVER_IN_TEXT) {
            if (part.contains(marker)) {
                throw new EngineException(
                        ErrorCode.INVALID_REQUEST, "completion: expected no " + marker + " inside the " + name);
            }
        }
    }
}
