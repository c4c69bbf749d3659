package io.millrace.udf;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TextMetricsTest {

    @Test
    void repetition_fourGramTwiceInFive_isTwoFifths() {
        assertThat(TextMetrics.repetition("a b c d a b c d")).isEqualTo(0.4);
    }

    @Test
    void repetition_caseAndPunctuation_doNotMatter() {
        assertThat(TextMetrics.repetition("A, b! C? d; a b c d.")).isEqualTo(0.4);
    }

    @Test
    void repetition_noGramTwice_isZero() {
        assertThat(TextMetrics.repetition("")).isZero();
        assertThat(TextMetrics.repetition("a b c d")).isZero();
        assertThat(TextMetrics.repetition("one two three four five six")).isZero();
    }

    @Test
    void repetition_scriptWithoutSpaces_countsCodePoints() {
        assertThat(TextMetrics.words("天地玄黄 ab")).containsExactly("天", "地", "玄", "黄", "ab");
        assertThat(TextMetrics.repetition("天地玄黄天地玄黄")).isEqualTo(0.4);
    }

    @Test
    void words_combiningMark_staysInItsWord() {
        assertThat(TextMetrics.words("cafe\u0301 x")).containsExactly("cafe\u0301", "x");
    }

    @Test
    void leaksTemplate_anyMarker_isSeen() {
        assertThat(TextMetrics.leaksTemplate("plain <text> | here")).isFalse();
        assertThat(TextMetrics.leaksTemplate("so </think> then")).isTrue();
        assertThat(TextMetrics.leaksTemplate("<\uFF5CUser\uFF5C>")).isTrue();
    }

    @Test
    void replacementShare_countsCodePoints() {
        assertThat(TextMetrics.replacementShare("")).isZero();
        assertThat(TextMetrics.replacementShare("tab\tline\n")).isZero();
        assertThat(TextMetrics.replacementShare("\uFFFD\u0000\uD800x")).isEqualTo(0.75);
        assertThat(TextMetrics.replacementShare("\uD83D\uDE00\uFFFD")).isEqualTo(0.5);
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", " [1, 2.5e3, null]\n", "42", "\"text\"", "true", "{\"a\": {\"a\": [[]]}}"})
    void isJson_oneValue_isTrue(String text) {
        assertThat(TextMetrics.isJson(text)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "  ",
                "prose",
                "{",
                "{\"a\": 1",
                "[1,]",
                "{} {}",
                "42 is the answer",
                "```json\n{}\n```",
                "NaN",
                "{'a': 1}",
                "01"
            })
    void isJson_anythingElse_isFalse(String text) {
        assertThat(TextMetrics.isJson(text)).isFalse();
    }
}
