package io.millrace.jobs.plan;

import io.millrace.engine.api.TokenIds;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.jspecify.annotations.Nullable;

/// What becomes of an input row before an engine computes it. Crosses from executors as a {@link Row}.
///
/// @param place file, row group and row
/// @param code why it is refused; null if it is not
/// @param message the same for a person
/// @param overlong whether its prompt, with the whole text, has more tokens than it may have
/// @param promptTokens of each sample
/// @param isCounted whether these are counted, not guessed by the characters
/// @param samples answers that are asked for
/// @param maxTokens most tokens of an answer; 0 of a row whose continuations are scored
/// @param scoredTokens of its continuations
/// @param referenceTokens of its reference; -1 without one
/// @param ids first tokens of the prompt
/// @param spelled the prompt for eyes, of the rows that are shown; null of others
record EncodedRow(
        String place,
        @Nullable String code,
        @Nullable String message,
        boolean overlong,
        int promptTokens,
        boolean isCounted,
        int samples,
        int maxTokens,
        int scoredTokens,
        int referenceTokens,
        TokenIds ids,
        @Nullable String spelled) {

    /// A row that is refused.
    static EncodedRow refused(String place, String code, String message, boolean overlong) {
        return new EncodedRow(place, code, message, overlong, 0, true, 1, 0, 0, -1, TokenIds.EMPTY, null);
    }

    boolean isRefused() {
        return code != null;
    }

    Row toRow() {
        return RowFactory.create(
                place,
                code,
                message,
                overlong,
                promptTokens,
                isCounted,
                samples,
                maxTokens,
                scoredTokens,
                referenceTokens,
                ids.toArray(),
                spelled);
    }

    static EncodedRow of(Row row) {
        return new EncodedRow(
                row.getString(0),
                row.getString(1),
                row.getString(2),
                row.getBoolean(3),
                row.getInt(4),
                row.getBoolean(5),
                row.getInt(6),
                row.getInt(7),
                row.getInt(8),
                row.getInt(9),
                TokenIds.of((int[]) row.get(10)),
                row.getString(11));
    }
}
