package io.millrace.jobs.code;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.millrace.udf.sandbox.Examiner.Language;
import org.jspecify.annotations.Nullable;

/// One sample of a task, which is to be graded.
///
/// @param completion what the model wrote; null if it wrote nothing, or if the solution came from elsewhere
/// @param solution the program without its tests; null if there is none
/// @param missing why there is none
@JsonInclude(JsonInclude.Include.NON_NULL)
record Attempt(
        String taskId,
        int sampleIdx,
        Language language,
        @Nullable String completion,
        @Nullable String solution,
        String tests,
        @Nullable String missing) {

    static Attempt of(CodeTask task, int sampleIdx, @Nullable String completion, String solution) {
        return new Attempt(task.taskId(), sampleIdx, task.language(), completion, solution, task.tests(), null);
    }

    /// Of a sample that the model failed to give: it counts as one that did not pass.
    static Attempt missing(CodeTask task, int sampleIdx, String why) {
        return new Attempt(task.taskId(), sampleIdx, task.language(), null, null, task.tests(), why);
    }
}
