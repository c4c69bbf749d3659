package io.millrace.udf.agent;

import io.millrace.engine.api.FinishReason;

/// The words by which rollouts end: those of mini-swe-agent, one of litellm that it passes on, and one for
/// scripts.
public final class ExitStatus {
    /// The agent has handed its work in.
    public static final String SUBMITTED = "Submitted";
    /// It has taken all turns, or used all tokens.
    public static final String LIMITS_EXCEEDED = "LimitsExceeded";
    /// It was under way for too long.
    public static final String TIME_EXCEEDED = "TimeExceeded";
    /// It said nothing that could be done, too often in a row.
    public static final String REPEATED_FORMAT_ERROR = "RepeatedFormatError";
    /// The conversation does not fit into the model's context any more.
    public static final String CONTEXT_EXCEEDED = "ContextWindowExceededError";
    /// The script has no further turn.
    public static final String SCRIPT_ENDED = "ScriptEnded";

    private ExitStatus() {}

    /// As the canonical row says it: whether the agent stopped, or was stopped.
    static FinishReason finishReason(String exitStatus) {
        return exitStatus.equals(SUBMITTED) ? FinishReason.STOP : FinishReason.LENGTH;
    }
}
