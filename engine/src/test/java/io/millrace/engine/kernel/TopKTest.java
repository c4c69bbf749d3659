package io.millrace.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TopKTest {
    @Test
    void places_tiesKeepTheLowestIndex() {
        assertThat(TopK.places(new float[] {1, 2, 2, 2, 0}, 5, 2)).containsExactly(1, 2);
    }

    @Test
    void places_zerosOfBothSignsAreEqual() {
        assertThat(TopK.places(new float[] {-0f, 0f, -1}, 3, 1)).containsExactly(0);
    }

    @Test
    void places_negativeScores() {
        assertThat(TopK.places(new float[] {-3, -1, -2, Float.NEGATIVE_INFINITY}, 4, 2))
                .containsExactly(1, 2);
    }

    @Test
    void places_noMoreThanThereAre() {
        assertThat(TopK.places(new float[] {5, 4}, 2, 9)).containsExactly(0, 1);
    }
}
