package io.millrace.udf.agent;

/// How an agent writes what is to be done.
public enum ActionForm {
    /// One fenced block in the text: a command, or an edit of a file.
    FENCED,
    /// Calls of the tools `bash` and `edit`, in the form that the model was trained on.
    TOOLS
}
