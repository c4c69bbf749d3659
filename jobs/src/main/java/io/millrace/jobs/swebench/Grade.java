package io.millrace.jobs.swebench;

import org.jspecify.annotations.Nullable;

/// What came of one prediction.
///
/// @param fingerprint of everything it depends on: a prediction whose grade has another is graded again
/// @param sign that the environment may have failed; of {@link Outcome#ENVIRONMENT} that it has
/// @param message why there is no result of tests, for a person; null if there is one
/// @param seconds from the checkout to the last test
record Grade(
        String instanceId,
        String fingerprint,
        Outcome outcome,
        @Nullable FailureSign sign,
        @Nullable String message,
        double seconds) {

    /// How an instance ends.
    enum Outcome {
        RESOLVED,
        UNRESOLVED,
        /// The patch does not apply, or the tests did not come to an end.
        ERROR,
        /// What was needed to try the patch was not there; this says nothing about the patch.
        ENVIRONMENT;

        /// Nothing is known of the tests.
        boolean isError() {
            return this == ERROR || this == ENVIRONMENT;
        }
    }
}
