package io.millrace.jobs.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.millrace.udf.Rouge;
import io.millrace.udf.TextMetrics;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// What becomes of the texts that models write where instructions are asked for.
class InstructionsTest {

    @Test
    void of_numberedLists_inAllForms() {
        assertThat(Instructions.of(" Plan a garden.\n10. Name a\n  tree.\n11) Count to ten.\nTask 12: Sing."))
                .containsExactly("Plan a garden.", "Name a tree.", "Count to ten.", "Sing.");
        assertThat(Instructions.of("1. One of 2. parts")).containsExactly("One of 2. parts");
        assertThat(Instructions.of("  \n")).isEmpty();
    }

    @Test
    void refusal_isAsPublished() {
        assertThat(Instructions.refusal("Name a tree")).isEqualTo("too-short");
        assertThat(Instructions.refusal("word ".repeat(151))).isEqualTo("too-long");
        assertThat(Instructions.refusal("Describe this picture in detail")).isEqualTo("beyond-text");
        assertThat(Instructions.refusal("Please go to the nearest shop")).isEqualTo("beyond-text");
        assertThat(Instructions.refusal("Write a program that sorts numbers")).isEqualTo("program");
        assertThat(Instructions.refusal("- list the planets by size")).isEqualTo("begins-oddly");
        assertThat(Instructions.refusal("List the planets by size")).isNull();
        assertThat(Instructions.refusal("Explain how imagery works in poems")).isNull();
    }

    @Test
    void rougeL_isThatOfRouge_onWordsThatHaveNoStem() {
        SplittableRandom random = new SplittableRandom(3);
        for (int trial = 0; trial < 200; trial++) {
            String a = words(random);
            String b = words(random);
            assertThat(Novelty.rougeL(TextMetrics.words(a), TextMetrics.words(b)))
                    .isCloseTo(Rouge.score(a, b).rougeL(), within(1e-12));
        }
        assertThat(Novelty.rougeL(List.of(), List.of("a"))).isZero();
    }

    /// Words of up to three letters, which ROUGE does not stem.
    private static String words(SplittableRandom random) {
        List<String> words = new ArrayList<>();
        for (int count = 1 + random.nextInt(12); count > 0; count--) {
            words.add(List.of("a", "is", "Ox", "the", "7", "9z").get(random.nextInt(6)));
        }
        return String.join(List.of(" ", ", ", "_").get(random.nextInt(3)), words);
    }

    @Test
    void evolution_refusesWhatIsNoNewInstruction() {
        String before = "Explain how a rainbow comes about.";
        assertThat(Evolution.refusal(before, "Explain, how a rainbow comes about!"))
                .isEqualTo("unchanged");
        assertThat(Evolution.refusal(before, "Sorry, I cannot do that.")).isEqualTo("refused");
        assertThat(Evolution.refusal(before, "… the of and")).isEqualTo("empty");
        assertThat(Evolution.refusal(before, "Here is the new instruction: Explain it."))
                .isEqualTo("prompt-leak");
        assertThat(Evolution.refusal(before, "Explain how a double rainbow comes about."))
                .isNull();
        for (Evolution way : Evolution.values()) {
            assertThat(way.template()).contains("{text}").doesNotContain("%");
        }
    }

    @Test
    void extract_takesTheLastMatch() {
        Extract answer = new Extract(Pattern.compile("####\\s*(\\S+)"));
        assertThat(answer.from("first #### 3\nno, #### 42 ")).isEqualTo("42");
        assertThat(answer.from("none")).isNull();
        assertThat(new Extract(Pattern.compile("(?s).+")).from("  Two\n  Words "))
                .isEqualTo("two words");
    }

    @Test
    void judge_readsTheLastScore() {
        Pattern score = Pattern.compile("(?i)score:\\s*(\\d+(?:\\.\\d+)?)");
        assertThat(JudgeStep.score(score, "Score: 3 at first.\nscore: 8.5")).isEqualTo(8.5);
        assertThat(JudgeStep.score(score, "ten out of ten")).isNull();
    }
}
