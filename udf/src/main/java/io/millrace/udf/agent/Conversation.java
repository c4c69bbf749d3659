package io.millrace.udf.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A rollout as messages: the log's records one after the other, in the form of mini-swe-agent's
/// trajectories (`mini-swe-agent-1.1`). What the model is shown are the same messages without `extra`.
/// Confined to one thread.
final class Conversation {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ArrayNode messages = JSON.createArrayNode();
    private final LogRecord.Start start;
    /// Of the last turn, what is not done yet.
    private final Deque<Action> pending = new ArrayDeque<>();
    private int turns;
    private int formatErrors;
    private Turn.Usage usage = Turn.Usage.NONE;
    private Turn.Usage lastUsage = Turn.Usage.NONE;
    private @Nullable String submission;
    private long elapsedMillis;
    private LogRecord.@Nullable End end;

    Conversation(LogRecord.Start start) {
        this.start = start;
        if (start.system() != null) {
            messages.addObject().put("role", "system").put("content", start.system());
        }
        messages.addObject().put("role", "user").put("content", start.user());
    }

    /// The conversation that a log tells of.
    ///
    /// @throws RolloutException if it does not begin with a start
    static Conversation of(List<LogRecord> records) {
        if (records.isEmpty() || !(records.getFirst() instanceof LogRecord.Start start)) {
            throw new RolloutException("LOG_DAMAGED", "log: expected a start, got " + records.size() + " records");
        }
        Conversation conversation = new Conversation(start);
        records.stream().skip(1).forEach(conversation::add);
        return conversation;
    }

    /// What happens next.
    void add(LogRecord record) {
        switch (record) {
            case LogRecord.Said said -> said(said);
            case LogRecord.Done done -> done(done);
            case LogRecord.End ended -> end(ended);
            case LogRecord.Start _, LogRecord.Segment _ ->
                throw new RolloutException("LOG_DAMAGED", "log: expected one start, at its beginning");
        }
    }

    private void said(LogRecord.Said said) {
        Turn turn = said.turn();
        turns++;
        usage = usage.plus(turn.usage());
        lastUsage = turn.usage();
        elapsedMillis = said.elapsedMillis();
        switch (Actions.of(turn, start.form())) {
            case Actions.Wanted(List<Action> actions) -> {
                formatErrors = 0;
                pending.addAll(actions);
                messages.add(assistant(said, actions));
            }
            case Actions.Malformed malformed -> {
                formatErrors++;
                messages.add(formatError(said, malformed));
            }
        }
    }

    private static ObjectNode assistant(LogRecord.Said said, List<Action> actions) {
        Turn turn = said.turn();
        ObjectNode message = JSON.createObjectNode().put("role", "assistant").put("content", turn.content());
        if (turn.reasoning() != null) {
            message.put("reasoning_content", turn.reasoning());
        }
        if (!turn.toolCalls().isEmpty()) {
            ArrayNode calls = message.putArray("tool_calls");
            turn.toolCalls()
                    .forEach(call -> calls.addObject()
                            .put("id", call.id())
                            .put("type", "function")
                            .putObject("function")
                            .put("name", call.name())
                            .put("arguments", call.arguments()));
        }
        ObjectNode extra = message.putObject("extra");
        ArrayNode list = extra.putArray("actions");
        actions.forEach(action -> list.add(action(action)));
        billed(extra, said);
        return message;
    }

    private static ObjectNode action(Action action) {
        ObjectNode node = JSON.createObjectNode();
        switch (action) {
            case Action.Command(String command, String _) -> node.put("command", command);
            case Action.Edit edit ->
                node.put("command", "edit " + edit.path())
                        .put("path", edit.path())
                        .put("old", edit.before())
                        .put("new", edit.after());
        }
        if (action.callId() != null) {
            node.put("tool_call_id", action.callId());
        }
        return node;
    }

    private static ObjectNode formatError(LogRecord.Said said, Actions.Malformed malformed) {
        ObjectNode message = JSON.createObjectNode()
                .put("role", "user")
                .put(
                        "content",
                        "Nothing was done with your last answer: it has another form than it must have.\n\n<error>\n"
                                + malformed.reason() + "\n</error>");
        ObjectNode extra = message.putObject("extra")
                .put("interrupt_type", "FormatError")
                .put("n_actions", malformed.found())
                .put("model_response", said.turn().content());
        billed(extra, said);
        return message;
    }

    /// What a turn has cost, which is nothing but tokens here.
    private static void billed(ObjectNode extra, LogRecord.Said said) {
        Turn turn = said.turn();
        ObjectNode response = extra.putObject("response");
        response.putArray("choices").addObject().put("finish_reason", turn.finishReason());
        response.putObject("usage")
                .put("prompt_tokens", turn.usage().promptTokens())
                .put("completion_tokens", turn.usage().completionTokens())
                .putObject("prompt_tokens_details")
                .put("cached_tokens", turn.usage().cachedTokens());
        extra.put("cost", 0.0).put("timestamp", said.timestamp());
    }

    private void done(LogRecord.Done done) {
        if (pending.isEmpty()) {
            throw new RolloutException("LOG_DAMAGED", "log: expected what was done to have been wanted");
        }
        Action action = pending.removeFirst();
        Observation observation = done.observation();
        elapsedMillis = done.elapsedMillis();
        submission = observation.submission();
        if (submission != null) {
            pending.clear();
            return;
        }
        ObjectNode message = messages.addObject().put("role", action.callId() == null ? "user" : "tool");
        if (action.callId() != null) {
            message.put("tool_call_id", action.callId());
        }
        message.put("content", observation.told());
        ObjectNode extra = message.putObject("extra")
                .put("raw_output", observation.output())
                .put("returncode", observation.returncode())
                .put("timestamp", done.timestamp());
        extra.put("exception_info", observation.exceptionInfo() == null ? "" : observation.exceptionInfo());
    }

    private void end(LogRecord.End ended) {
        end = ended;
        elapsedMillis = ended.elapsedMillis();
        messages.addObject()
                .put("role", "exit")
                .put(
                        "content",
                        ended.exitStatus().equals(ExitStatus.SUBMITTED) ? ended.submission() : ended.exitStatus())
                .putObject("extra")
                .put("exit_status", ended.exitStatus())
                .put("submission", ended.submission())
                .put("timestamp", ended.timestamp());
    }

    /// What is to be done before the agent speaks again; null if nothing is.
    @Nullable
    Action pending() {
        return pending.peekFirst();
    }

    /// What the last command handed in; null if it was none that does.
    @Nullable
    String submission() {
        return submission;
    }

    /// How it ended; null if it has not.
    LogRecord.@Nullable End end() {
        return end;
    }

    LogRecord.Start start() {
        return start;
    }

    int turns() {
        return turns;
    }

    /// Turns in a row without an action.
    int formatErrors() {
        return formatErrors;
    }

    /// Of all turns.
    Turn.Usage usage() {
        return usage;
    }

    /// Tokens of the conversation when the agent last spoke.
    int tokens() {
        return lastUsage.promptTokens() + lastUsage.completionTokens();
    }

    long elapsedMillis() {
        return elapsedMillis;
    }

    /// All messages.
    ArrayNode messages() {
        return messages;
    }

    /// What the model is shown: an array of messages in OpenAI's form, or an object with the tools too.
    String shown() {
        ArrayNode shown = JSON.createArrayNode();
        for (JsonNode message : messages) {
            shown.add(((ObjectNode) message.deepCopy()).without("extra"));
        }
        return start.form() == ActionForm.FENCED
                ? shown.toString()
                : JSON.createObjectNode()
                        .<ObjectNode>set("messages", shown)
                        .set("tools", Actions.tools())
                        .toString();
    }

    /// The trajectory as mini-swe-agent writes it.
    ObjectNode trajectory() {
        ObjectNode info = JSON.createObjectNode();
        info.putObject("model_stats").put("instance_cost", 0.0).put("api_calls", turns);
        info.set("config", start.config());
        info.put("mini_version", "");
        info.put("exit_status", end == null ? "" : end.exitStatus());
        info.put("submission", end == null ? "" : end.submission());
        ObjectNode trajectory = JSON.createObjectNode();
        trajectory.set("info", info);
        trajectory.set("messages", messages);
        trajectory.put("trajectory_format", "mini-swe-agent-1.1");
        trajectory.put("instance_id", start.customId() == null ? start.requestId() : start.customId());
        return trajectory;
    }
}
