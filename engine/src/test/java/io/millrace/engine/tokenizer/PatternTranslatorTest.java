package io.millrace.engine.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PatternTranslatorTest {

    private static List<Integer> matched(String pattern) {
        Pattern java = PatternTranslator.translate(pattern);
        return IntStream.rangeClosed(0, 0xFFFF)
                .filter(c -> !Character.isSurrogate((char) c))
                .filter(c -> java.matcher(Character.toString(c)).matches())
                .boxed()
                .toList();
    }

    @Test
    void translate_whiteSpace_isUnicodes() {
        Integer[] whiteSpace = IntStream.concat(
                        IntStream.rangeClosed(9, 13),
                        IntStream.of(
                                0x20, 0x85, 0xA0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006,
                                0x2007, 0x2008, 0x2009, 0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000))
                .boxed()
                .toArray(Integer[]::new);
        assertThat(matched("\\s")).containsExactly(whiteSpace);
        assertThat(matched("[\\s]")).containsExactly(whiteSpace);
        assertThat(matched("[^\\S]")).containsExactly(whiteSpace);
        assertThat(matched("\\S")).hasSize(0x10000 - 0x800 - whiteSpace.length);
    }

    @Test
    void translate_dot_stopsAtLineFeedOnly() {
        assertThat(matched("."))
                .hasSize(0x10000 - 0x800 - 1)
                .doesNotContain((int) '\n')
                .contains((int) '\r', 0x2028);
    }

    @Test
    void translate_digitsAndCategories_areUnicodes() {
        assertThat(matched("\\d")).contains((int) '7', 0x0663).doesNotContain(0x00BD, 0x2167);
        assertThat(matched("\\p{N}")).contains((int) '7', 0x0663, 0x00BD, 0x2167);
        assertThat(matched("\\p{^N}")).doesNotContain((int) '7').contains((int) 'x');
        assertThat(matched("\\p{Han}")).contains(0x4E00).doesNotContain(0x3042);
        assertThat(matched("[\\p{L}&&[^\\p{Han}]]")).contains(0x3042).doesNotContain(0x4E00);
    }

    @Test
    void translate_ignoredCase_isUnicodes() {
        Pattern clitics = PatternTranslator.translate("(?i:'s|'ll)");
        assertThat(List.of("'s", "'S", "'ſ", "'Ll"))
                .allMatch(text -> clitics.matcher(text).matches());
    }

    @Test
    void translate_classes_keepTheirLiterals() {
        assertThat(matched("[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]")).hasSize(32);
        assertThat(matched("[a\\-c]")).containsExactly((int) '-', (int) 'a', (int) 'c');
        assertThat(matched("[a-]")).containsExactly((int) '-', (int) 'a');
        assertThat(matched("[\\x41-\\u0043\\x{44}]")).hasSize(4);
        assertThat(PatternTranslator.translate("[😀-😂]").matcher("😁").matches())
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a{1,3}+",
                "a{2}?",
                "^a",
                "a$",
                "\\h",
                "\\b",
                "\\1a",
                "(?<n>a)",
                "(?m:a)",
                "[[:alpha:]]",
                "\\p{Alpha1}",
                "(a+)+",
                "(?:a|bc)*",
                "*a",
                "a**",
                "(a",
                "a)",
                "[a",
                "[]",
                "[z-a]",
                "\\",
                "a{9999999}",
                "a{3,1}",
                "\\pL",
                "a*",
                "a|",
                "(?=a)*b",
                "\\x{110000}",
                "\\x{}",
                "[a&&]",
                "a{x}"
            })
    void translate_whatIsNotUnderstood_isRefused(String pattern) {
        assertThatThrownBy(() -> PatternTranslator.translate(pattern))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("of the pattern \"" + pattern + "\": ");
    }

    @Test
    void translate_aVeryLongPattern_isRefused() {
        assertThatThrownBy(() -> PatternTranslator.translate("x".repeat(100_000)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("expected a pattern of at most 10000 chars, got 100000");
    }

    @Test
    void translate_deepNesting_isRefused() {
        assertThatThrownBy(() -> PatternTranslator.translate("(".repeat(9_000) + "a"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("deep");
        assertThatThrownBy(() -> PatternTranslator.translate("[".repeat(9_000) + "a"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("deep");
    }
}
