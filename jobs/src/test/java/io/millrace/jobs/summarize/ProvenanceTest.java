package io.millrace.jobs.summarize;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.jobs.summarize.LastRequest.Source;
import io.millrace.jobs.summarize.Provenance.Origin;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class ProvenanceTest {
    private static final String TEXT = "The mill stands by the river. The miller sells bread. The hills have oaks.";
    private static final List<Source> CHUNKS =
            List.of(new Source(0, 29, null), new Source(30, 53, "Loaves are sold."), new Source(54, 74, null));

    @Test
    void of_sentences_haveTheirPlacesAndTheChunksWithTheirWords() {
        String summary = " The mill is by a river.  Loaves are sold!\n\nUnrelated elephants";

        List<Provenance.Sentence> sentences = new Provenance(TEXT, CHUNKS).of(summary);

        assertThat(sentences)
                .extracting(sentence -> summary.substring(sentence.start(), sentence.end()))
                .containsExactly("The mill is by a river.", "Loaves are sold!", "Unrelated elephants");
        assertThat(sentences.get(0).origins()).extracting(Origin::chunk).containsExactly(0);
        // of the words the, mill, is, by, a, river
        double rare = Math.log(4);
        double everywhere = Math.log(4.0 / 3);
        assertThat(sentences.get(0).origins().getFirst().share())
                .isCloseTo((3 * rare + everywhere) / (5 * rare + everywhere), Offset.offset(1e-12));
        // the words of a chunk's own summary count as the chunk's
        assertThat(sentences.get(1).origins()).containsExactly(new Origin(1, 1));
        assertThat(sentences.get(2).origins()).isEmpty();
    }

    @Test
    void of_chunksThatAreAsGood_areAllNamed() {
        List<Source> twins = List.of(new Source(0, 5, null), new Source(6, 11, null), new Source(12, 17, null));

        assertThat(new Provenance("alpha alpha gamma", twins)
                        .of("alpha.")
                        .getFirst()
                        .origins())
                .extracting(Origin::chunk)
                .containsExactly(0, 1);
    }
}
