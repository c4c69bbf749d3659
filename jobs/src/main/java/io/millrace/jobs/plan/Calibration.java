package io.millrace.jobs.plan;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/// How fast this machine was with rows of the run: rounds that were measured one after the other in a fresh
/// process, as a run begins.
///
/// A run's seconds are a straight line over its tokens, plus what the first rounds took longer than the line
/// says: classes were loaded and compiled, caches were cold, and a run pays for that as well.
///
/// @param rounds in the order they were run, at least one
/// @param secondsPerPromptToken of prompts' tokens that are computed
/// @param secondsPerCompletionToken of answers
/// @param warmUpSeconds what the first row and the first rounds took longer
record Calibration(
        List<Round> rounds, double secondsPerPromptToken, double secondsPerCompletionToken, double warmUpSeconds) {

    /// Rows that were answered at once.
    ///
    /// @param rows input rows
    /// @param ok answers that did not fail
    /// @param maxTokens most tokens that an answer might have; 0 for those of the run
    /// @param computed tokens of prompts that no other prompt had computed
    /// @param completion tokens of answers
    /// @param completionSquares sum of the squares of the answers' tokens
    /// @param steps forward passes; 0 where several executors made them
    /// @param decoded tokens of answers, of all beams, that went through them; 0 likewise
    record Round(
            int rows,
            int ok,
            int maxTokens,
            double seconds,
            long computed,
            long completion,
            double completionSquares,
            long steps,
            long decoded) {

        boolean isWhole() {
            return maxTokens == 0;
        }

        private double cost(double perPromptToken, double perCompletionToken) {
            return computed * perPromptToken + completion * perCompletionToken;
        }
    }

    Calibration {
        rounds = List.copyOf(rounds);
    }

    /// Of whole answers the last round alone tells the rates: its mix of prompts and answers is the run's.
    /// Of answers that were cut, two rounds that were cut at different lengths do.
    ///
    /// @param firstRow seconds until the first row was read
    static Calibration of(List<Round> rounds, double firstRow) {
        Round last = rounds.getLast();
        double even = last.seconds() / Math.max(1, last.computed() + last.completion());
        double perPrompt = even;
        double perCompletion = even;
        if (!last.isWhole() && rounds.size() > 1) {
            Round before = rounds.get(rounds.size() - 2);
            // seconds = prompts x a + answers x b, of both
            double determinant =
                    (double) before.computed() * last.completion() - (double) last.computed() * before.completion();
            double a = (before.seconds() * last.completion() - last.seconds() * before.completion()) / determinant;
            double b = (last.seconds() * before.computed() - before.seconds() * last.computed()) / determinant;
            // noise may be larger than what tells the two apart
            if (a > 0 && b > 0 && Double.isFinite(a) && Double.isFinite(b)) {
                perPrompt = a;
                perCompletion = b;
            }
        }
        double warmUp = firstRow;
        for (Round round : rounds) {
            warmUp += Math.max(0, round.seconds() - round.cost(perPrompt, perCompletion));
        }
        return new Calibration(rounds, perPrompt, perCompletion, warmUp);
    }

    /// What a run takes.
    ///
    /// @param promptTokens that are computed
    /// @param engines those that were measured for each that will compute
    double seconds(long promptTokens, long completionTokens, double engines) {
        return warmUpSeconds
                + engines * (promptTokens * secondsPerPromptToken + completionTokens * secondsPerCompletionToken);
    }

    /// Rounds whose answers were not cut.
    List<Round> whole() {
        return rounds.stream().filter(Round::isWhole).toList();
    }

    /// Rows that were answered to their end.
    int wholeAnswers() {
        return whole().stream().mapToInt(Round::ok).sum();
    }

    /// Mean length of the answers that were not cut; 0 without one.
    double meanCompletion() {
        long tokens = whole().stream().mapToLong(Round::completion).sum();
        return wholeAnswers() == 0 ? 0 : (double) tokens / wholeAnswers();
    }

    /// Half the width of the interval in which that mean lies with 95 % probability.
    double completionError() {
        int n = wholeAnswers();
        if (n < 2) {
            return 0;
        }
        double squares =
                whole().stream().mapToDouble(Round::completionSquares).sum() - n * meanCompletion() * meanCompletion();
        return Lengths.TWO_SIDED_95 * Math.sqrt(Math.max(0, squares) / (n - 1) / n);
    }

    /// Mean over whole answers of the steps that each took, which is more than its tokens where a search
    /// goes on behind the answer; 0 where it is not known.
    ///
    /// @param width rows that an answer decodes at once
    double meanDecodeSteps(int width) {
        long decoded = whole().stream().mapToLong(Round::decoded).sum();
        return wholeAnswers() == 0 ? 0 : (double) decoded / width / wholeAnswers();
    }

    ObjectNode toJson() {
        ObjectNode json = new ObjectMapper().createObjectNode();
        json.put("seconds_per_prompt_token", secondsPerPromptToken);
        json.put("seconds_per_completion_token", secondsPerCompletionToken);
        json.put("warm_up_seconds", warmUpSeconds);
        ArrayNode array = json.putArray("rounds");
        for (Round round : rounds) {
            array.addObject()
                    .put("rows", round.rows())
                    .put("ok", round.ok())
                    .put("max_tokens", round.maxTokens())
                    .put("seconds", round.seconds())
                    .put("computed_prompt_tokens", round.computed())
                    .put("completion_tokens", round.completion())
                    .put("steps", round.steps());
        }
        return json;
    }
}
