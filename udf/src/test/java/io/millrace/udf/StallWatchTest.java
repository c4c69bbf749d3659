package io.millrace.udf;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class StallWatchTest {
    private static final long SECOND = Duration.ofSeconds(1).toNanos();

    private final StallWatch watch = new StallWatch(Duration.ofSeconds(3));

    @Test
    void isStalled_noStepForLong_isTrue() {
        assertThat(watch.isStalled(7, 0)).isFalse();
        assertThat(watch.isStalled(7, SECOND)).isFalse();
        assertThat(watch.isStalled(7, 3 * SECOND)).isFalse();
        assertThat(watch.isStalled(7, 4 * SECOND)).isFalse();
        assertThat(watch.isStalled(7, 5 * SECOND)).isTrue();
    }

    @Test
    void isStalled_stepsNowAndThen_isFalse() {
        for (int second = 0; second < 20; second++) {
            assertThat(watch.isStalled(second / 3, second * SECOND)).isFalse();
        }
    }

    @Test
    void isStalled_processStoodStill_doesNotCount() {
        assertThat(watch.isStalled(7, 0)).isFalse();
        assertThat(watch.isStalled(7, 100 * SECOND)).isFalse();
        assertThat(watch.isStalled(7, 200 * SECOND)).isFalse();
    }
}
