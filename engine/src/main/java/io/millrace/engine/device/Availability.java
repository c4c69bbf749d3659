package io.millrace.engine.device;

/// Whether a device can compute here, with the sentence a user reads.
public sealed interface Availability {
    /// It can.
    ///
    /// @param description what it is: cores, width, library, card
    record Available(String description) implements Availability {}

    /// It cannot.
    ///
    /// @param reason what was looked for, where, and what was found instead
    record Unavailable(String reason) implements Availability {}

    /// The sentence alone.
    default String sentence() {
        return switch (this) {
            case Available(String description) -> description;
            case Unavailable(String reason) -> reason;
        };
    }
}
