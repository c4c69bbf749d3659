package io.millrace.udf;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class SentencesTest {
    @Test
    void of_wrappedLines_areOneSentence() {
        assertThat(Sentences.of("One sentence\nover two lines. Another!\r\n \r\nA new paragraph"))
                .containsExactly("One sentence\nover two lines.", "Another!", "A new paragraph");
        assertThat(Sentences.of("第一句。第二句！")).containsExactly("第一句。", "第二句！");
        assertThat(Sentences.of("  \n ")).isEmpty();
    }

    @Test
    void spans_coverTheirPartOfTheText() {
        String text = "skip A one. B two.\n\nC three.\n\n\n skip";
        List<Sentences.Span> spans = Sentences.spans(text, 5, text.length() - 4);

        int at = 5;
        for (Sentences.Span span : spans) {
            assertThat(span.start()).isEqualTo(at);
            at = span.end();
        }
        assertThat(at).isEqualTo(text.length() - 4);
        assertThat(spans).extracting(Sentences.Span::endsParagraph).containsExactly(false, true, true);
    }
}
