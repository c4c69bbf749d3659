package io.millrace.udf.agent;

import com.fasterxml.jackson.annotation.JsonInclude;
import org.jspecify.annotations.Nullable;

/// What an agent wants done.
public sealed interface Action {

    /// Id of the tool's call, null in the fenced form.
    @Nullable
    String callId();

    /// A command of bash.
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Command(String command, @Nullable String callId) implements Action {}

    /// A place in a file that is to read otherwise.
    ///
    /// @param path of the file, seen from the directory
    /// @param before what stands there, exactly once; empty for a file to be made
    /// @param after what is to stand there
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Edit(
            String path,
            String before,
            String after,
            @Nullable String callId) implements Action {}
}
