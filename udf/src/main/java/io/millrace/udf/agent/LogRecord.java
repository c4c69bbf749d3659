package io.millrace.udf.agent;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

/// A line of a rollout's log.
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "record")
@JsonSubTypes({
    @JsonSubTypes.Type(value = LogRecord.Segment.class, name = "segment"),
    @JsonSubTypes.Type(value = LogRecord.Start.class, name = "start"),
    @JsonSubTypes.Type(value = LogRecord.Said.class, name = "said"),
    @JsonSubTypes.Type(value = LogRecord.Done.class, name = "done"),
    @JsonSubTypes.Type(value = LogRecord.End.class, name = "end")
})
public sealed interface LogRecord {

    /// First line of each file: what it holds follows on so many lines of the files before it. What
    /// they hold beyond that is void: an attempt that was given up has written it.
    record Segment(int continues) implements LogRecord {}

    /// What does not change: who, and with what task.
    ///
    /// @param customId the caller's own key, null if there is none
    /// @param system text of the first message, null if there is none
    /// @param user text of the next
    /// @param config of the trajectory's `info`, for whoever reads it
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Start(
            String requestId,
            @Nullable String customId,
            int sampleIdx,
            @Nullable String system,
            String user,
            ActionForm form,
            ObjectNode config)
            implements LogRecord {}

    /// The agent has spoken.
    ///
    /// @param elapsedMillis how long the rollout has been under way, without the time in which it was not
    /// @param timestamp seconds since 1970
    record Said(Turn turn, long elapsedMillis, double timestamp) implements LogRecord {}

    /// An action of the last turn was done, the next one in order.
    ///
    /// @param changes what it changed in the directory
    record Done(Observation observation, Changes changes, long elapsedMillis, double timestamp) implements LogRecord {}

    /// Nothing more happens.
    ///
    /// @param exitStatus mini-swe-agent's word: `Submitted`, `LimitsExceeded`, ...
    /// @param submission what was handed in, empty if nothing was
    record End(String exitStatus, String submission, long elapsedMillis, double timestamp) implements LogRecord {}
}
