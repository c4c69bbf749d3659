package io.millrace.jobs.sql;

import io.millrace.udf.PromptFormat;
import java.io.Serializable;
import org.jspecify.annotations.Nullable;

/// What of a call is the same for every row.
///
/// @param model the model as executors see it
/// @param system the system prompt; null for none
/// @param template how a row becomes the user's turn; null for the session's
record CallRecipe(
        ModelFunction function,
        String model,
        @Nullable String system,
        @Nullable String template,
        PromptFormat format) implements Serializable {}
