package io.millrace.udf;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class WordSegmentsTest {
    @Test
    void of_chinese_isCutByTheDictionary() {
        assertThat(WordSegments.of("我们今天去北京大学。")).containsExactly("我们", "今天", "去", "北京", "大学");
    }

    @Test
    void of_spacedScripts_areWordsWithoutPunctuation() {
        assertThat(WordSegments.of("Don't panic: e-mail 3.5 GB, Straße!"))
                .containsExactly("don't", "panic", "e", "mail", "3.5", "gb", "straße");
    }

    @Test
    void rouge_chinese_countsWordsWhereTheReferenceRulesFindNone() {
        Rouge.Scores scores = WordSegments.rouge(List.of("我们今天去北京大学。"), "我们去北京。");

        // 3 words of 3 and of 5; one of two pairs, of four
        assertThat(scores.rouge1()).isEqualTo(2 * 1.0 * 0.6 / 1.6);
        assertThat(scores.rouge2()).isEqualTo(2 * 0.5 * 0.25 / 0.75);
        assertThat(scores.rougeL()).isEqualTo(scores.rouge1());
        assertThat(Rouge.score("我们今天去北京大学。", "我们去北京。").rouge1()).isZero();
    }
}
