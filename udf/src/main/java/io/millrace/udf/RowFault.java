package io.millrace.udf;

/// Why a row never reached the engine. All are the row's own fault, so trying again unchanged does not
/// help.
public enum RowFault {
    /// The input record could not be parsed.
    MALFORMED_RECORD,
    /// The input record, or its whole file, has another shape than the job's columns ask for.
    SCHEMA_MISMATCH,
    /// The text column is null.
    TEXT_NULL,
    /// The text column holds nothing but white space.
    TEXT_BLANK,
    /// A text holds bytes that are no UTF-8, or an unpaired surrogate.
    TEXT_NOT_UNICODE,
    /// Another column of the template is null.
    COLUMN_NULL,
    /// The row's parameters are no JSON object, or say something that cannot be done.
    PARAMETERS_INVALID,
    /// The row's continuations are no JSON array of texts, or of none.
    CONTINUATIONS_INVALID,
    /// The prompt has more tokens than it may have, and cutting the text was not asked for or is not
    /// enough.
    PROMPT_TOO_LONG,
    /// A stage before this one failed for the row; the message says which part of it and why.
    EARLIER_STAGE
}
