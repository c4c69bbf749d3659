package io.millrace.udf;

import io.millrace.engine.api.ScoringRequest;
import io.millrace.engine.api.TokenIds;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Scores a text that may be longer than the model sees in stretches, by the rule of
/// lm-evaluation-harness's `get_rolling_token_windows` (context of at least one token): each token is
/// scored once, the first stretch behind the token that begins a text, and the last with as much of the
/// text before it as there is room for.
final class ScoringWindows {

    private ScoringWindows() {}

    /// @param beginning what stands before the text
    /// @param text at least one token
    /// @param most tokens that are scored at once, behind one other
    static List<ScoringRequest> of(String id, TokenIds beginning, TokenIds text, int most) {
        List<ScoringRequest> windows = new ArrayList<>();
        int first = Math.min(most, text.size());
        windows.add(new ScoringRequest(id, beginning, text.head(first)));
        int[] ids = text.toArray();
        for (int scored = first; scored < ids.length; ) {
            int end = scored + Math.min(ids.length - scored, most);
            windows.add(new ScoringRequest(
                    id,
                    TokenIds.of(Arrays.copyOfRange(ids, end - most - 1, scored)),
                    TokenIds.of(Arrays.copyOfRange(ids, scored, end))));
            scored = end;
        }
        return windows;
    }
}
