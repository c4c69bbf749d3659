package io.millrace.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.millrace.udf.EngineIdentity;
import io.millrace.udf.ParityQuestion.Answer;
import java.util.List;
import org.junit.jupiter.api.Test;

class ParityTest {

    private static Answer answer(String weights, String kernels, Double... logprobs) {
        return new Answer(new EngineIdentity("m", "r", weights, "t", "q", kernels, "l"), List.of(logprobs));
    }

    @Test
    void of_sameWithinTolerance_isTheLargestDifference() {
        Parity parity = Parity.of(answer("w", "card", -1.0, -2.0), answer("w", "cpu", -1.02, -1.95), 0.06);

        assertThat(parity.difference()).isCloseTo(0.05, offset(1e-12));
        assertThat(parity.tokens()).isEqualTo(2);
        assertThat(parity.identity().kernels()).isEqualTo("cpu");
    }

    @Test
    void of_furtherApart_isRefused() {
        assertThatThrownBy(() -> Parity.of(answer("w", "card", -1.0, -2.0), answer("w", "cpu", -1.0, -2.5), 0.1))
                .isInstanceOf(JobException.class)
                .hasMessage(
                        "cards.beside: expected card and cpu to agree within cards.tolerance, got a largest difference"
                                + " of 0.500 nat over 2 tokens, tolerance 0.100");
    }

    @Test
    void of_noNumber_isRefused() {
        assertThatThrownBy(() -> Parity.of(answer("w", "card", Double.NaN), answer("w", "cpu", Double.NaN), 10))
                .hasMessageContaining("largest difference of Infinity nat");
    }

    @Test
    void of_anotherModel_isRefused() {
        assertThatThrownBy(() -> Parity.of(answer("w", "card", -1.0), answer("v", "cpu", -1.0), 10))
                .hasMessage("cards.beside: expected the weights of the engine on cards, w, got v");
    }
}
