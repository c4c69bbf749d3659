package io.millrace.jobs.swebench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

class PatchInAnswerTest {
    private static final String PATCH = "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-x\n+y\n";

    @Test
    void of_anyWrapping_thePatch() {
        assertThat(PatchInAnswer.of("I think.\n<patch>\n" + PATCH + "</patch>\nDone."))
                .isEqualTo(PATCH);
        assertThat(PatchInAnswer.of("```diff\n" + PATCH + "```")).isEqualTo(PATCH);
        assertThat(PatchInAnswer.of("<patch>\n```diff\n" + PATCH + "```\n</patch>"))
                .isEqualTo(PATCH);
        assertThat(PatchInAnswer.of("```\n" + PATCH + "```")).isEqualTo(PATCH);
        assertThat(PatchInAnswer.of("Here it is:\n\n" + PATCH.stripTrailing())).isEqualTo(PATCH);
        assertThat(PatchInAnswer.of(PATCH.replace("\n", "\r\n"))).isEqualTo(PATCH);
    }

    @Test
    void of_severalBlocks_theNamedBeforeTheFirst() {
        assertThat(PatchInAnswer.of(
                        "```python\nx = 1\n```\n<code>y</code>\n```patch\n" + PATCH + "```\n```diff\nz\n```"))
                .isEqualTo(PATCH);
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(strings = {"", "I cannot do that.", "<patch>\n</patch>", "```python\nprint(1)\n```", "--- \n+++ \n"})
    void of_noPatch_empty(String answer) {
        assertThat(PatchInAnswer.of(answer)).isEmpty();
    }
}
