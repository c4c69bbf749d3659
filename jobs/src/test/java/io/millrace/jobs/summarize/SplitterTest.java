package io.millrace.jobs.summarize;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// A token is a word here, or, where that is said, a character.
class SplitterTest {
    private static int words(String text) {
        return text.isBlank() ? 0 : text.strip().split("\\s+").length;
    }

    private static List<String> split(String text, int most, int overlap) {
        return new Splitter(SplitterTest::words, most, overlap)
                .chunks(text).stream().map(chunk -> chunk.of(text)).toList();
    }

    @Test
    void chunks_paragraphs_areKeptTogetherWhereTheyHalfFillAChunk() {
        String text = "One two three. Four five six.\n\nSeven eight. Nine ten eleven.\n\n\nTwelve.";

        assertThat(split(text, 8, 0))
                .containsExactly("One two three. Four five six.", "Seven eight. Nine ten eleven.\n\n\nTwelve.");
        assertThat(split(text, 100, 0)).containsExactly(text);
    }

    @Test
    void chunks_longParagraph_isCutBetweenSentences() {
        assertThat(split("A b c. D e f. G h i. J.", 7, 0)).containsExactly("A b c. D e f.", "G h i. J.");
    }

    @Test
    void chunks_longSentence_isCutBetweenWords_andLongWordBetweenCharacters() {
        assertThat(split("a b c d e f g h", 3, 0)).containsExactly("a b", "c d", "e f", "g h");

        String text = "abc \uD83D\uDE00\uD83D\uDE00\uD83D\uDE00 def";
        List<Chunk> chunks = new Splitter(String::length, 3, 0).chunks(text);
        assertThat(chunks)
                .extracting(chunk -> chunk.of(text))
                .containsExactly("abc", "\uD83D\uDE00", "\uD83D\uDE00", "\uD83D\uDE00", "def");
    }

    @Test
    void chunks_codeAndTables_areNeverCut() {
        String code = "```java\nint a = 1. + 2;\n\nint b = 2;\n```";
        String table = "| a | b |\n|---|---|\n| One. Two | 2 |\n| 3 | 4 |";
        String text = "Some words before. And more of them.\n\n" + code + "\n\nBetween them. Words.\n\n" + table
                + "\n\nAfter it.";

        List<Chunk> chunks = new Splitter(SplitterTest::words, 6, 0).chunks(text);

        assertThat(chunks)
                .extracting(chunk -> chunk.of(text))
                .contains(code, table)
                .containsExactly(
                        "Some words before.", "And more of them.", code, "Between them. Words.", table, "After it.");
        assertThat(chunks).extracting(Chunk::tokens).containsExactly(3, 4, 12, 3, 17, 2);
    }

    @Test
    void chunks_unclosedFenceInAList_lastsToItsEnd() {
        String text = "- item\n\n  ```\n  a. b\n\n  c. d\n\nafter the list. Done.";

        assertThat(split(text, 3, 0)).containsExactly("- item", "```\n  a. b\n\n  c. d", "after the list.", "Done.");
    }

    @Test
    void chunks_overlap_repeatsWholeSentencesOfTheChunkBefore() {
        String text = "A b c. D e. F g h. I j.";

        List<Chunk> chunks = new Splitter(SplitterTest::words, 5, 2).chunks(text);

        assertThat(chunks).extracting(chunk -> chunk.of(text)).containsExactly("A b c. D e.", "D e. F g h.", "I j.");
        assertThat(chunks).extracting(Chunk::overlap).containsExactly(0, 4, 0);
    }

    @Test
    void chunks_anyText_fitAndLoseNothingButSpace() {
        SplittableRandom random = new SplittableRandom(7);
        String[] parts = {
            "word ", "Two words. ", "\n\n", "\n", "```\ncode here\n```\n", "| a |\n|---|\n| b |\n\n", "  ", "x! "
        };
        for (int trial = 0; trial < 300; trial++) {
            StringBuilder made = new StringBuilder();
            for (int part = random.nextInt(60); part > 0; part--) {
                made.append(parts[random.nextInt(parts.length)]);
            }
            String text = made.toString();
            int most = 1 + random.nextInt(9);
            int overlap = random.nextInt(most);
            List<Blocks.Range> blocks = Blocks.of(text);

            int covered = 0;
            for (Chunk chunk : new Splitter(SplitterTest::words, most, overlap).chunks(text)) {
                assertThat(chunk.start())
                        .as(text)
                        .isEqualTo(chunk.overlap() > 0 ? covered - chunk.overlap() : chunk.start());
                assertThat(text.substring(
                                Math.min(covered, chunk.start() + chunk.overlap()), chunk.start() + chunk.overlap()))
                        .as(text)
                        .isBlank();
                assertThat(chunk.end()).as(text).isGreaterThan(covered);
                boolean isBlock = blocks.stream()
                        .anyMatch(block -> text.substring(block.start(), block.end())
                                .strip()
                                .equals(chunk.of(text)));
                assertThat(chunk.tokens() <= most || isBlock).as(text).isTrue();
                for (Blocks.Range block : blocks) {
                    String inside = text.substring(block.start(), block.end()).strip();
                    int start = text.indexOf(inside, block.start());
                    boolean apart = chunk.end() <= start || chunk.start() >= start + inside.length();
                    boolean within = chunk.start() <= start && chunk.end() >= start + inside.length();
                    assertThat(apart || within).as(text).isTrue();
                }
                covered = chunk.end();
            }
            assertThat(text.substring(covered)).as(text).isBlank();
        }
    }
}
