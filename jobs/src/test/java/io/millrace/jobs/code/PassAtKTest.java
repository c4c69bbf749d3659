package io.millrace.jobs.code;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.millrace.jobs.code.PassAtK.Count;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PassAtKTest {

    private static BigInteger choose(int n, int k) {
        BigInteger result = BigInteger.ONE;
        for (int i = 1; i <= k; i++) {
            result = result.multiply(BigInteger.valueOf(n - k + i)).divide(BigInteger.valueOf(i));
        }
        return k > n ? BigInteger.ZERO : result;
    }

    /// By the definition, in whole numbers.
    private static double exact(int n, int c, int k) {
        BigDecimal none = new BigDecimal(choose(n - c, k)).divide(new BigDecimal(choose(n, k)), MathContext.DECIMAL128);
        return BigDecimal.ONE.subtract(none).doubleValue();
    }

    @Test
    void of_everySmallCase_isTheDefinition() {
        for (int n = 1; n <= 40; n++) {
            for (int c = 0; c <= n; c++) {
                for (int k = 1; k <= n; k++) {
                    assertThat(PassAtK.of(n, c, k)).as("%s %s %s", n, c, k).isCloseTo(exact(n, c, k), within(1e-12));
                }
            }
        }
    }

    /// Computed with Python's fractions and math.comb: `float(1 - Fraction(comb(n - c, k), comb(n, k)))`.
    @ParameterizedTest
    @CsvSource({
        "200, 1, 1, 0.005",
        "200, 1, 100, 0.5",
        "200, 17, 10, 0.5974489015799118",
        "200, 3, 100, 0.8768844221105527",
        "1000, 5, 100, 0.4101678183104101"
    })
    void of_manySamples_isThatOfFractions(int n, int c, int k, double expected) {
        assertThat(PassAtK.of(n, c, k)).isCloseTo(expected, within(1e-12));
    }

    @Test
    void of_fewerFailuresThanDrawn_isOne() {
        assertThat(PassAtK.of(10, 3, 8)).isEqualTo(1);
        assertThat(PassAtK.of(10, 0, 10)).isZero();
    }

    @Test
    void of_moreDrawnThanThereAre_isRefused() {
        assertThatThrownBy(() -> PassAtK.of(5, 1, 6)).hasMessageContaining("n=5 c=1 k=6");
    }

    @Test
    void mean_isOverTasks_forEveryKThatAllHaveSamplesFor() {
        assertThat(PassAtK.mean(List.of(new Count(10, 5), new Count(12, 0), new Count(20, 20))))
                .containsExactlyInAnyOrderEntriesOf(Map.of(1, 0.5, 10, 2.0 / 3));
        assertThat(PassAtK.mean(List.of(new Count(10, 5), new Count(1, 0)))).containsOnlyKeys(1);
        assertThat(PassAtK.mean(List.of())).isEmpty();
    }
}
