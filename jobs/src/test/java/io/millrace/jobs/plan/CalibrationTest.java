package io.millrace.jobs.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.millrace.jobs.plan.Calibration.Round;
import java.util.List;
import org.junit.jupiter.api.Test;

class CalibrationTest {

    private static Round round(int maxTokens, double seconds, long computed, long completion) {
        return new Round(10, 10, maxTokens, seconds, computed, completion, completion * completion / 10.0, 5, 40);
    }

    @Test
    void answersThatWereCut_tellTheTwoRatesApart() {
        // 1 ms a prompt token, 20 ms a token of an answer
        Calibration calibration =
                Calibration.of(List.of(round(8, 9, 1000, 80), round(1, 1.2, 1000, 10), round(24, 5.8, 1000, 240)), 0);
        assertThat(calibration.secondsPerPromptToken()).isCloseTo(0.001, within(1e-9));
        assertThat(calibration.secondsPerCompletionToken()).isCloseTo(0.02, within(1e-9));
        assertThat(calibration.warmUpSeconds()).isCloseTo(9 - 1 - 1.6, within(1e-9));
        assertThat(calibration.seconds(100_000, 10_000, 1)).isCloseTo(6.4 + 100 + 200, within(1e-6));
        assertThat(calibration.wholeAnswers()).isZero();
    }

    @Test
    void moreEngines_shareAllButTheWarmUp() {
        Calibration calibration = Calibration.of(List.of(round(0, 4, 1000, 1000), round(0, 2, 1000, 1000)), 0.5);
        assertThat(calibration.warmUpSeconds()).isCloseTo(2.5, within(1e-9));
        assertThat(calibration.seconds(50_000, 50_000, 0.25)).isCloseTo(2.5 + 25, within(1e-9));
    }

    @Test
    void wholeAnswers_tellTheirLength() {
        Round one = new Round(2, 2, 0, 1, 100, 10, 4 * 4 + 6 * 6, 7, 24);
        Calibration calibration = Calibration.of(List.of(round(8, 1, 10, 10), one), 0);
        assertThat(calibration.meanCompletion()).isEqualTo(5);
        assertThat(calibration.completionError()).isCloseTo(1.96, within(1e-9));
        assertThat(calibration.meanDecodeSteps(2)).isEqualTo(6);
    }

    /// Noise that makes longer answers the quicker ones says nothing about the two rates.
    @Test
    void nonsense_isOneRateForBoth() {
        Calibration calibration = Calibration.of(List.of(round(1, 3, 1000, 10), round(24, 2, 1000, 240)), 0);
        assertThat(calibration.secondsPerPromptToken())
                .isEqualTo(calibration.secondsPerCompletionToken())
                .isCloseTo(2.0 / 1240, within(1e-12));
    }
}
