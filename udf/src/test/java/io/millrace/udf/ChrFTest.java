package io.millrace.udf;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class ChrFTest {
    @Test
    void score_equalsSacreBleu() {
        for (SummaryCase expected : SummaryCase.all()) {
            assertThat(ChrF.score(expected.references(), expected.prediction()))
                    .as(expected.toString())
                    .isCloseTo(expected.chrf(), Offset.offset(1e-6));
        }
    }

    @Test
    void score_noReference_isZero() {
        assertThat(ChrF.score(List.of(), "text")).isZero();
    }
}
