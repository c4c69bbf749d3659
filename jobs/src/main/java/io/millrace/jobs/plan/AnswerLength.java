package io.millrace.jobs.plan;

import org.jspecify.annotations.Nullable;

/// How long answers are expected to be, and why.
///
/// @param mean tokens
/// @param error half the width of the interval in which the mean lies with 95 % probability; 0 if nothing is
///     known of that
record AnswerLength(double mean, double error, Source source) {

    /// Where it is known from, the best first.
    enum Source {
        /// Said by whoever asks.
        GIVEN,
        /// Answers of this model to rows of this run.
        SAMPLE,
        /// What answers should be like.
        REFERENCES,
        /// The most that they may have: an upper bound.
        MAX_TOKENS
    }

    /// @param given what was said; null for nothing
    /// @param calibration what was measured; null for nothing
    static AnswerLength of(@Nullable Double given, @Nullable Calibration calibration, Survey survey) {
        if (given != null) {
            return new AnswerLength(given, 0, Source.GIVEN);
        }
        if (calibration != null && calibration.wholeAnswers() > 0) {
            return new AnswerLength(calibration.meanCompletion(), calibration.completionError(), Source.SAMPLE);
        }
        Double references = survey.meanReferenceTokens();
        return references == null
                ? new AnswerLength(survey.meanMaxTokens(), 0, Source.MAX_TOKENS)
                : new AnswerLength(references, 0, Source.REFERENCES);
    }
}
