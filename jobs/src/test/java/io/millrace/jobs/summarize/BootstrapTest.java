package io.millrace.jobs.summarize;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class BootstrapTest {
    @Test
    void of_values_boundsAreThoseOfTheMean() {
        double[] values =
                IntStream.range(0, 400).mapToDouble(i -> i % 2 == 0 ? 0 : 10).toArray();

        Bootstrap bounds = Bootstrap.of(values, 1);

        assertThat(bounds.mean()).isEqualTo(5);
        assertThat(bounds.values()).isEqualTo(400);
        // of a mean of 400 with deviation 5: 1.96 * 5 / 20 on either side
        assertThat(bounds.low()).isCloseTo(5 - 0.49, Offset.offset(0.1));
        assertThat(bounds.high()).isCloseTo(5 + 0.49, Offset.offset(0.1));
        assertThat(Bootstrap.of(values, 1)).isEqualTo(bounds);
        assertThat(Bootstrap.of(values, 2)).isNotEqualTo(bounds);
    }

    @Test
    void of_equalValues_haveNoSpread() {
        double[] values = new double[7];
        Arrays.fill(values, 3);
        assertThat(Bootstrap.of(values, 0)).isEqualTo(new Bootstrap(3, 3, 3, 7));
    }
}
