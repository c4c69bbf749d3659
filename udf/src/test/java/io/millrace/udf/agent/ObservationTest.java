package io.millrace.udf.agent;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ObservationTest {

    @Test
    void submission_followsTheSentinel() {
        assertThat(new Observation("COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT\ndiff --git a/x b/x\n", 0, null, false)
                        .submission())
                .isEqualTo("diff --git a/x b/x\n");
        assertThat(new Observation("\n COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT", 0, null, false).submission())
                .isEmpty();
    }

    @Test
    void submission_nothingElseIsOne() {
        String said = "COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT\ndiff";
        assertThat(new Observation(said, 1, null, false).submission()).isNull();
        assertThat(new Observation("x\n" + said, 0, null, false).submission()).isNull();
        // half a patch is none
        assertThat(new Observation(said, 0, null, true).submission()).isNull();
    }

    @Test
    void told_longOutput_losesItsMiddle() {
        String told = new Observation("a".repeat(6000) + "b".repeat(6001), 0, null, false).told();
        assertThat(told)
                .contains(
                        "<returncode>0</returncode>",
                        "a".repeat(5000) + "\n",
                        "2001 characters left out",
                        "b".repeat(5000))
                .doesNotContain("a".repeat(5001), "b".repeat(5001));
        assertThat(new Observation("short\n", 3, "ended", false).told())
                .isEqualTo("<exception>ended</exception>\n<returncode>3</returncode>\n<output>\nshort\n</output>");
    }
}
