package io.millrace.udf;

import java.io.Serializable;
import org.jspecify.annotations.Nullable;

/// What is told of an output row beside the row itself.
///
/// @param customId the caller's own key, its beginning if it is long
/// @param file input file
/// @param row place of the input row in its row group
/// @param sample which of the samples of the input row
/// @param errorCode null if the row is no error row
/// @param queuedMillis before its first step
/// @param prefillMillis from its first step to its first token
/// @param decodeMillis from its first token to its last
public record FinishedRow(
        @Nullable String customId,
        String file,
        int rowGroup,
        long row,
        int sample,
        @Nullable String errorCode,
        int promptTokens,
        int completionTokens,
        double queuedMillis,
        double prefillMillis,
        double decodeMillis)
        implements Serializable {
    private static final int MAX_ID = 200;

    public FinishedRow {
        if (customId != null && customId.length() > MAX_ID) {
            customId = customId.substring(0, MAX_ID) + "…";
        }
    }

    /// How long it was in the running batch, in milliseconds. What it waited before is for others' sake.
    public double batchMillis() {
        return prefillMillis + decodeMillis;
    }
}
