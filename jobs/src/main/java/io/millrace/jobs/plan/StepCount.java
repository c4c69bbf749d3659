package io.millrace.jobs.plan;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;

/// Forward passes of one engine, counted by going through them as its batch would: decoding rows first, then
/// prompts, oldest first, then rows that are admitted, as long as a step and the batch have room.
///
/// @param steps forward passes
/// @param tokens that went through them
record StepCount(long steps, long tokens) {

    /// A request.
    ///
    /// @param promptTokens to compute, >= 1
    /// @param outputTokens of the answer, of which the prompt's step gives the first, >= 0
    /// @param width rows that it decodes at once: its beams
    record Request(int promptTokens, int outputTokens, int width) {}

    /// Fixed settings of the batch.
    ///
    /// @param stepTokens upper bound of tokens in a step
    /// @param maxRunning upper bound of rows in the batch
    record Room(int stepTokens, int maxRunning) {}

    /// How full the steps are, in [0, 1].
    double occupancy(Room room) {
        return steps == 0 ? 0 : (double) tokens / ((double) steps * room.stepTokens());
    }

    static StepCount of(List<Request> requests, Room room) {
        Deque<Request> waiting = new ArrayDeque<>(requests);
        List<Running> running = new ArrayList<>();
        long steps = 0;
        long tokens = 0;
        while (!waiting.isEmpty() || !running.isEmpty()) {
            int left = decode(running, room.stepTokens());
            left = prefill(running, left);
            left = admit(waiting, running, left, room);
            running.removeIf(Running::isDone);
            steps++;
            tokens += room.stepTokens() - left;
        }
        return new StepCount(steps, tokens);
    }

    private static int decode(List<Running> running, int room) {
        int left = room;
        for (Running row : running) {
            if (row.prompt == 0 && left > 0) {
                row.output--;
                // a step may hold a few more than it has room for, as all beams of a row go together
                left = Math.max(0, left - row.width);
            }
        }
        return left;
    }

    private static int prefill(List<Running> running, int room) {
        int left = room;
        for (Running row : running) {
            if (row.prompt > 0 && left > 0) {
                left = row.feed(left);
            }
        }
        return left;
    }

    private static int admit(Deque<Request> waiting, List<Running> running, int room, Room limits) {
        int left = room;
        int width = running.stream().mapToInt(row -> row.width).sum();
        Iterator<Request> next = waiting.iterator();
        while (next.hasNext() && left > 0) {
            Request request = next.next();
            if (!running.isEmpty() && width + request.width() > limits.maxRunning()) {
                break;
            }
            next.remove();
            Running row = new Running(request);
            width += row.width;
            running.add(row);
            left = row.feed(left);
        }
        return left;
    }

    /// A request under way.
    private static final class Running {
        private final int width;
        private int prompt;
        private int output;
        private boolean decoded;

        Running(Request request) {
            width = request.width();
            prompt = request.promptTokens();
            output = request.outputTokens();
        }

        /// Computes of the prompt what there is room for.
        ///
        /// @return room that is left
        int feed(int room) {
            int some = Math.min(room, prompt);
            prompt -= some;
            if (prompt == 0 && !decoded) {
                decoded = true;
                output--;
            }
            return room - some;
        }

        boolean isDone() {
            return prompt == 0 && output <= 0;
        }
    }
}
