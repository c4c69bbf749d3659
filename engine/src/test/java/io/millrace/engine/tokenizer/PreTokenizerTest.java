package io.millrace.engine.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.tokenizer.PreTokenizer.Behavior;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class PreTokenizerTest {

    private static List<String> pieces(PreTokenizer preTokenizer, String text) {
        List<String> pieces = new ArrayList<>();
        preTokenizer
                .into((source, start, end) -> pieces.add(source.substring(start, end)))
                .piece(text, 0, text.length());
        return pieces;
    }

    private static List<String> split(Behavior behavior, String text) {
        return pieces(new PreTokenizer.Split(Pattern.compile("-"), behavior, false), text);
    }

    // the example of Hugging Face's documentation
    @Test
    void split_treatsTheSeparatorByItsBehavior() {
        String text = "the-final--countdown";
        assertThat(split(Behavior.REMOVED, text)).containsExactly("the", "final", "countdown");
        assertThat(split(Behavior.ISOLATED, text)).containsExactly("the", "-", "final", "-", "-", "countdown");
        assertThat(split(Behavior.MERGED_WITH_PREVIOUS, text)).containsExactly("the-", "final-", "-", "countdown");
        assertThat(split(Behavior.MERGED_WITH_NEXT, text)).containsExactly("the", "-final", "-", "-countdown");
        assertThat(split(Behavior.CONTIGUOUS, text)).containsExactly("the", "-", "final", "--", "countdown");
    }

    @Test
    void split_inverted_removesWhatIsBetween() {
        PreTokenizer words = new PreTokenizer.Split(Pattern.compile("[a-z]+"), Behavior.REMOVED, true);
        assertThat(pieces(words, "ab, cd!")).containsExactly("ab", "cd");
    }

    @Test
    void lookAhead_endsAtThePiece() {
        PreTokenizer inOrder = new PreTokenizer.InOrder(List.of(
                new PreTokenizer.Split(Pattern.compile("[0-9]"), Behavior.ISOLATED, false),
                new PreTokenizer.Split(PatternTranslator.translate("\\s+(?!\\S)|\\s"), Behavior.ISOLATED, false)));
        assertThat(pieces(inOrder, "a  1  b")).containsExactly("a", "  ", "1", " ", " ", "b");
    }

    @Test
    void byteLevel_prefixesABlankAndSplitsLikeGpt2() {
        assertThat(pieces(new PreTokenizer.ByteLevel(true, true), "don't stop  now"))
                .containsExactly(" don", "'t", " stop", " ", " now");
        assertThat(pieces(new PreTokenizer.ByteLevel(true, false), " x")).containsExactly(" x");
    }
}
