package io.millrace.udf;

/// Why a row never reached the engine. All are the row's own fault, so trying again unchanged does not help.
public enum RowFault {
    /// The input record could not be parsed.
    MALFORMED_RECORD,
    /// The text column is null.
    TEXT_NULL,
    /// The text column holds nothing but white space.
    TEXT_BLANK,
    /// The text holds an unpaired surrogate, so it is no Unicode text.
    TEXT_NOT_UNICODE,
    /// Another column of the template is null.
    COLUMN_NULL,
    /// The prompt has more tokens than it may have, and cutting the text was not asked for or is not enough.
    PROMPT_TOO_LONG
}
