package io.millrace.udf;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class CopyingTest {
    private static final String SOURCE = "The mill stands where the river leaves the hills, and a wheel turns it.";

    @Test
    void of_runs_areFoundWhateverTheirPunctuation() {
        Copying copying = Copying.of(SOURCE, "A wheel: the river leaves the hills and goes.");

        // a wheel | the river leaves the hills and | goes
        assertThat(copying.longestRun()).isEqualTo(6);
        assertThat(copying.coverage()).isEqualTo(OptionalDouble.of(8.0 / 9));
        // of six 4-grams, those of the river leaves the, river leaves the hills, leaves the hills and
        assertThat(copying.copiedGrams()).isEqualTo(OptionalDouble.of(3.0 / 6));
    }

    @Test
    void of_shortOrBlank_saysNothing() {
        assertThat(Copying.of(SOURCE, "the mill stands"))
                .isEqualTo(new Copying(OptionalDouble.empty(), 3, OptionalDouble.of(1)));
        assertThat(Copying.of(SOURCE, " ")).isEqualTo(new Copying(OptionalDouble.empty(), 0, OptionalDouble.empty()));
    }
}
