package io.millrace.engine.chat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// What stands between two markers of the prompt: a message that is not a tool's or a user's, or a run of
/// those two. The format has no tool role: results are blocks of a user turn.
sealed interface Turn {

    /// The message itself; of a run of user messages and tool results, its first user message (its task
    /// counts).
    ChatMessage message();

    /// A system, developer, assistant or reminder message.
    record Single(ChatMessage message) implements Turn {}

    /// User texts and tool results, in order.
    record User(ChatMessage message, List<Block> blocks) implements Turn {}

    /// @param callId of a tool result
    record Block(Kind kind, String callId, String text) {}

    enum Kind {
        TEXT,
        TOOL_RESULT
    }

    default boolean asks() {
        return message().role() == ChatRole.USER || message().role() == ChatRole.DEVELOPER;
    }

    default boolean hasTask() {
        return message().task() != null;
    }

    /// Merges runs and puts the results of each run into the order of the calls they answer.
    static List<Turn> of(List<ChatMessage> messages) {
        List<Turn> turns = new ArrayList<>();
        for (ChatMessage message : messages) {
            switch (message.role()) {
                case TOOL -> addResult(turns, message);
                case USER -> addUser(turns, message);
                default -> turns.add(new Single(message));
            }
        }
        sortResults(turns);
        return turns;
    }

    private static void addResult(List<Turn> turns, ChatMessage message) {
        Block block = new Block(Kind.TOOL_RESULT, message.toolCallId(), message.content());
        if (!turns.isEmpty() && turns.getLast() instanceof User user) {
            user.blocks.add(block);
        } else {
            turns.add(new User(ChatMessage.user(""), new ArrayList<>(List.of(block))));
        }
    }

    private static void addUser(List<Turn> turns, ChatMessage message) {
        Block block = new Block(Kind.TEXT, "", message.content());
        // a task ends its turn
        if (!turns.isEmpty() && turns.getLast() instanceof User user && !user.hasTask()) {
            user.blocks.add(block);
            return;
        }
        turns.add(new User(message, new ArrayList<>(List.of(block))));
    }

    private static void sortResults(List<Turn> turns) {
        Map<String, Integer> callOrder = new HashMap<>();
        for (Turn turn : turns) {
            if (turn instanceof User user) {
                sortResults(user.blocks, callOrder);
            } else if (!turn.message().toolCalls().isEmpty()) {
                callOrder.clear();
                List<ToolCall> calls = turn.message().toolCalls();
                for (int at = 0; at < calls.size(); at++) {
                    if (!calls.get(at).id().isEmpty()) {
                        callOrder.put(calls.get(at).id(), at);
                    }
                }
            }
        }
    }

    /// Results change places among themselves; texts stay. A result of an unknown call counts as one of the
    /// first.
    private static void sortResults(List<Block> blocks, Map<String, Integer> callOrder) {
        List<Block> results = blocks.stream()
                .filter(block -> block.kind == Kind.TOOL_RESULT)
                .sorted(Comparator.comparingInt(block -> callOrder.getOrDefault(block.callId, 0)))
                .toList();
        int next = 0;
        for (int at = 0; at < blocks.size(); at++) {
            if (blocks.get(at).kind == Kind.TOOL_RESULT) {
                blocks.set(at, results.get(next++));
            }
        }
    }
}
