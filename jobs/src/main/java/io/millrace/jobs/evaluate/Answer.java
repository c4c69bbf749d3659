package io.millrace.jobs.evaluate;

import java.util.List;

/// What came of a question.
sealed interface Answer {

    /// How likely a continuation is.
    ///
    /// @param logprob natural logarithm of its probability
    /// @param greedy whether greedy decoding would have written it
    record Score(double logprob, boolean greedy) {}

    /// One for each continuation.
    record Scores(List<Score> scores) implements Answer {
        public Scores {
            scores = List.copyOf(scores);
        }
    }

    /// One for each repeat.
    record Texts(List<String> texts) implements Answer {
        public Texts {
            texts = List.copyOf(texts);
        }
    }

    /// The row is an error row: a wrong answer.
    record Failed(String reason) implements Answer {}
}
