package io.millrace.jobs.evaluate.template;

import org.jspecify.annotations.Nullable;

/// What a name stands for that the document does not have: an error wherever it is used, as Jinja's
/// `StrictUndefined`.
record Undefined(String name) {

    /// @throws TemplateException if the value is undefined
    static @Nullable Object refused(@Nullable Object value) {
        if (value instanceof Undefined(String name)) {
            throw new TemplateException("'" + name + "' is undefined");
        }
        return value;
    }
}
