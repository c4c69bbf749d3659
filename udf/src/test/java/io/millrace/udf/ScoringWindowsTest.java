package io.millrace.udf;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.api.ScoringRequest;
import io.millrace.engine.api.TokenIds;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ScoringWindowsTest {
    private static final TokenIds BEGINNING = TokenIds.of(99);

    private static List<ScoringRequest> windows(int tokens, int most) {
        return ScoringWindows.of(
                "id", BEGINNING, TokenIds.of(IntStream.range(0, tokens).toArray()), most);
    }

    private static ScoringRequest request(TokenIds prompt, int... continuation) {
        return new ScoringRequest("id", prompt, TokenIds.of(continuation));
    }

    /// The example in the documentation of the harness's `loglikelihood_rolling`: ten tokens, four at once.
    @Test
    void of_tenTokensFourAtOnce_asTheHarness() {
        assertThat(windows(10, 4))
                .containsExactly(
                        request(BEGINNING, 0, 1, 2, 3),
                        request(TokenIds.of(3), 4, 5, 6, 7),
                        request(TokenIds.of(5, 6, 7), 8, 9));
    }

    @Test
    void of_textThatFits_isOneWindow() {
        assertThat(windows(4, 4)).containsExactly(request(BEGINNING, 0, 1, 2, 3));
        assertThat(windows(1, 4)).containsExactly(request(BEGINNING, 0));
        assertThat(windows(5, 4)).containsExactly(request(BEGINNING, 0, 1, 2, 3), request(TokenIds.of(0, 1, 2, 3), 4));
    }
}
