package io.millrace.engine.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.text.Normalizer;
import java.util.List;
import org.junit.jupiter.api.Test;

class TextNormalizerTest {

    @Test
    void normalize_appliesTheFormsInOrder() {
        TextNormalizer normalizer = new TextNormalizer.InOrder(
                List.of(new TextNormalizer.Form(Normalizer.Form.NFKC), new TextNormalizer.Lowercase()));
        assertThat(normalizer.normalize("ﬁ E\u0301 Ⅷ ΑΣ İ")).isEqualTo("fi é viii ας".replace('ς', 'σ') + " i\u0307");
    }

    @Test
    void normalize_ofAMillionMarks_ends() {
        String marks = "a" + "\u0301\u0323".repeat(500_000);
        String normalized = new TextNormalizer.Form(Normalizer.Form.NFC).normalize(marks);
        assertThat(normalized).startsWith("ạ\u0323").hasSize(marks.length() - 1);
    }
}
