package io.millrace.engine.chat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The chat format of DeepSeek-V4 (the encoder released in April 2026), byte for byte: messages to a
/// prompt, and a completion back to a message. Stateless.
///
/// Roles are marked in front; an answer is announced by the question before it, with `<｜Assistant｜>` and
/// `<think>` or `</think>`; tool calls are written in a markup whose tags hold the token `｜DSML｜`. Every
/// marker this class writes is a control segment of the [PromptText], every text it was given is not,
/// whatever that text spells. So are the markers inside the tool instructions, which name `<think>` and
/// show the markup: the model was trained with their tokens.
public final class DeepSeekV4Chat {
    static final String BOS = "<｜begin▁of▁sentence｜>";
    static final String EOS = "<｜end▁of▁sentence｜>";
    static final String USER = "<｜User｜>";
    static final String ASSISTANT = "<｜Assistant｜>";
    static final String REMINDER = "<｜latest_reminder｜>";
    static final String THINK = "<think>";
    static final String END_THINK = "</think>";
    static final String DSML = "｜DSML｜";

    private static final List<String> ALWAYS_NEEDED = List.of(BOS, EOS, USER, ASSISTANT, THINK, END_THINK);

    private final List<Turn> turns;
    private final ThinkingMode mode;
    private final boolean dropsReasoning;
    private final int lastQuestion;
    private final PromptText.Writer out = new PromptText.Writer();

    private DeepSeekV4Chat(List<Turn> turns, ThinkingMode mode, boolean dropsReasoning) {
        this.turns = turns;
        this.mode = mode;
        this.dropsReasoning = dropsReasoning;
        this.lastQuestion = lastQuestion(turns);
    }

    /// Whether the tokenizer has the control tokens of every conversation (those of tools, reminders and
    /// tasks are checked when they are used).
    public static boolean supports(Tokenizer tokenizer) {
        return missingControls(tokenizer).isEmpty();
    }

    /// The control tokens of every conversation that the tokenizer lacks.
    public static List<String> missingControls(Tokenizer tokenizer) {
        return ALWAYS_NEEDED.stream()
                .filter(token -> tokenizer.controlId(token).isEmpty())
                .toList();
    }

    /// Writes a conversation as the model was trained: earlier reasoning dropped, BOS in front.
    ///
    /// @throws EngineException `INVALID_REQUEST` if there is no message
    public static PromptText encode(List<ChatMessage> messages, ThinkingMode mode) {
        return encode(messages, ChatOptions.of(mode));
    }

    /// Writes a conversation as a prompt that ends where the model goes on.
    ///
    /// @throws EngineException `INVALID_REQUEST` if there is no message
    public static PromptText encode(List<ChatMessage> messages, ChatOptions options) {
        if (messages.isEmpty()) {
            throw new EngineException(ErrorCode.INVALID_REQUEST, "messages: expected at least one, got none");
        }
        List<Turn> turns = Turn.of(messages);
        boolean hasTools =
                messages.stream().anyMatch(message -> !message.tools().isEmpty());
        boolean drops = options.dropsEarlierReasoning() && !hasTools;
        if (options.mode().isThinking() && drops) {
            turns = withoutEarlierDevelopers(turns);
        }
        DeepSeekV4Chat chat = new DeepSeekV4Chat(turns, options.mode(), drops);
        if (options.beginsSequence()) {
            chat.out.control(BOS);
        }
        if (options.mode() == ThinkingMode.THINKING_MAX) {
            chat.out.text(TrainedTexts.DEEPSEEK_V4.maxEffort());
        }
        for (int index = 0; index < turns.size(); index++) {
            chat.write(index);
        }
        return chat.out.prompt();
    }

    /// Reads a completion of this format, end token included.
    ///
    /// @throws EngineException `INVALID_REQUEST` with the offset and what was expected there
    public static ChatMessage parseCompletion(String completion, ThinkingMode mode) {
        return new CompletionParser(completion).parse(mode);
    }

    /// Reads a completion whose end token has been taken off.
    ///
    /// @throws EngineException `INVALID_REQUEST` with the offset and what was expected there
    public static ChatMessage parseAnswer(String answer, ThinkingMode mode) {
        return parseCompletion(answer + EOS, mode);
    }

    /// The beginning of an answer that calls a tool, behind which the model can do nothing else. For
    /// the mode without reasoning, in which the answer begins where the prompt ends.
    ///
    /// @param tool name of the tool; null for one that the model names
    public static PromptText beginCall(@Nullable String tool) {
        PromptText.Writer out = new PromptText.Writer();
        out.text("\n\n<").control(DSML).text("tool_calls>\n<").control(DSML).text("invoke name=\"");
        if (tool != null) {
            out.text(tool + "\">\n");
        }
        return out.prompt();
    }

    /// Whether an answer begins to call tools.
    public static boolean hasCalls(String answer) {
        return answer.contains("\n\n<" + DSML + "tool_calls");
    }

    private static List<Turn> withoutEarlierDevelopers(List<Turn> turns) {
        int lastQuestion = lastQuestion(turns);
        List<Turn> kept = new ArrayList<>();
        for (int index = 0; index < turns.size(); index++) {
            if (index >= lastQuestion || turns.get(index).message().role() != ChatRole.DEVELOPER) {
                kept.add(turns.get(index));
            }
        }
        return kept;
    }

    private static int lastQuestion(List<Turn> turns) {
        for (int index = turns.size() - 1; index >= 0; index--) {
            if (turns.get(index).asks()) {
                return index;
            }
        }
        return -1;
    }

    private void write(int index) {
        Turn turn = turns.get(index);
        ChatMessage message = turn.message();
        switch (message.role()) {
            case SYSTEM -> {
                out.text(message.content());
                writeInstructions(message);
            }
            case DEVELOPER -> {
                out.control(USER).text(message.content());
                writeInstructions(message);
            }
            case LATEST_REMINDER -> out.control(REMINDER).text(message.content());
            case ASSISTANT -> writeAnswer(index, message);
            case USER, TOOL -> writeBlocks(((Turn.User) turn).blocks());
        }
        if (index + 1 == turns.size() || isAnswerOrReminder(turns.get(index + 1))) {
            writeTransition(index, message.task());
        }
    }

    private static boolean isAnswerOrReminder(Turn turn) {
        ChatRole role = turn.message().role();
        return role == ChatRole.ASSISTANT || role == ChatRole.LATEST_REMINDER;
    }

    /// Tools and response format, behind the text of a message.
    private void writeInstructions(ChatMessage message) {
        if (!message.tools().isEmpty()) {
            out.text("\n\n");
            writeTools(message.tools());
        }
        JsonNode format = message.responseFormat();
        if (format != null) {
            out.text("\n\n")
                    .text(TrainedTexts.DEEPSEEK_V4.responseFormat().replace("{schema}", PythonJson.write(format)));
        }
    }

    private void writeTools(List<JsonNode> tools) {
        String schemas = String.join(
                "\n",
                tools.stream()
                        .map(tool -> PythonJson.write(tool.path("function")))
                        .toList());
        String template = TrainedTexts.DEEPSEEK_V4.tools();
        int schemasAt = template.indexOf("{schemas}");
        writeTemplate(template.substring(0, schemasAt));
        out.text(schemas);
        writeTemplate(template.substring(schemasAt + "{schemas}".length()));
    }

    /// A text of ours, in which `{dsml}` and the thinking markers stand for their tokens.
    private void writeTemplate(String template) {
        int at = 0;
        while (at < template.length()) {
            String marker = "";
            int markerAt = template.length();
            for (String candidate : new String[] {"{dsml}", THINK, END_THINK}) {
                int found = template.indexOf(candidate, at);
                if (found >= 0 && found < markerAt) {
                    marker = candidate;
                    markerAt = found;
                }
            }
            out.text(template.substring(at, markerAt));
            if (!marker.isEmpty()) {
                out.control(marker.equals("{dsml}") ? DSML : marker);
            }
            at = markerAt + marker.length();
        }
    }

    private void writeBlocks(List<Turn.Block> blocks) {
        out.control(USER);
        for (int at = 0; at < blocks.size(); at++) {
            out.text(at == 0 ? "" : "\n\n");
            switch (blocks.get(at).kind()) {
                case TEXT -> out.text(blocks.get(at).text());
                case TOOL_RESULT ->
                    out.text("<tool_result>").text(blocks.get(at).text()).text("</tool_result>");
            }
        }
    }

    private void writeAnswer(int index, ChatMessage message) {
        // the answer to a task has no reasoning part
        boolean answersTask = index > 0 && turns.get(index - 1).hasTask();
        if (mode.isThinking() && !answersTask && (!dropsReasoning || index > lastQuestion)) {
            out.text(message.reasoningContent()).control(END_THINK);
        }
        out.text(message.content());
        if (!message.toolCalls().isEmpty()) {
            writeToolCalls(message.toolCalls());
        }
        if (!message.unfinished()) {
            out.control(EOS);
        }
    }

    private void writeToolCalls(List<ToolCall> calls) {
        out.text("\n\n<").control(DSML).text("tool_calls>\n");
        for (ToolCall call : calls) {
            out.text("<").control(DSML).text("invoke name=\"" + call.name() + "\">\n");
            writeArguments(arguments(call.arguments()));
            out.text("\n</").control(DSML).text("invoke>\n");
        }
        out.text("</").control(DSML).text("tool_calls>");
    }

    private void writeArguments(JsonNode arguments) {
        Iterator<Map.Entry<String, JsonNode>> members = arguments.properties().iterator();
        while (members.hasNext()) {
            Map.Entry<String, JsonNode> member = members.next();
            JsonNode value = member.getValue();
            out.text("<")
                    .control(DSML)
                    .text("parameter name=\"" + member.getKey() + "\" string=\"" + value.isTextual() + "\">")
                    .text(value.isTextual() ? value.textValue() : PythonJson.write(value))
                    .text("</")
                    .control(DSML)
                    .text(members.hasNext() ? "parameter>\n" : "parameter>");
        }
    }

    private static JsonNode arguments(String json) {
        try {
            JsonNode arguments = ChatJson.read(json);
            if (arguments.isObject()) {
                return arguments;
            }
        } catch (JsonProcessingException e) {
            return asOneArgument(json);
        }
        return asOneArgument(json);
    }

    private static JsonNode asOneArgument(String text) {
        return JsonNodeFactory.instance.objectNode().put("arguments", text);
    }

    /// What stands between a message and the answer to it.
    private void writeTransition(int index, @Nullable QuickTask task) {
        if (task != null) {
            if (task == QuickTask.ACTION) {
                out.control(ASSISTANT).control(mode.isThinking() ? THINK : END_THINK);
            }
            out.control(task.marker());
        } else if (turns.get(index).asks()) {
            boolean thinks = mode.isThinking() && (!dropsReasoning || index >= lastQuestion);
            out.control(ASSISTANT).control(thinks ? THINK : END_THINK);
        }
    }
}
