package io.millrace.jobs.evaluate.ifeval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Against lm-evaluation-harness 0.4.13 and NLTK 3.10.3: what `record.py` wrote down.
class InstructionsTest {
    private static final Path FOLDER = Path.of("src/test/resources/evaluate/ifeval");
    private static final Path PUNKT = FOLDER.resolve("nltk_data/tokenizers/punkt_tab/english");
    /// These ask a detector of languages, which is another one than the reference's.
    private static final Set<String> OF_LANGUAGES =
            Set.of("language:response_language", "change_case:english_capital", "change_case:english_lowercase");
    private static final int LETTERS_TO_TELL_A_LANGUAGE = 60;
    private static final ObjectMapper JSON = new ObjectMapper();

    private static JsonNode recorded = JSON.missingNode();

    @BeforeAll
    static void read() throws IOException {
        recorded = JSON.readTree(Files.readString(FOLDER.resolve("verdicts.json")));
    }

    private static Map<String, Object> document(List<?> names, List<?> arguments) {
        return Map.of("instruction_id_list", names, "kwargs", arguments);
    }

    /// Numbers as documents have them.
    private static Object value(JsonNode node) {
        if (node.isIntegralNumber()) {
            return node.longValue();
        }
        if (node.isArray()) {
            List<Object> list = new ArrayList<>();
            node.forEach(item -> list.add(value(item)));
            return list;
        }
        if (node.isObject()) {
            Map<String, Object> map = new LinkedHashMap<>();
            node.properties().forEach(field -> map.put(field.getKey(), value(field.getValue())));
            return map;
        }
        return node.textValue();
    }

    private static String letters(List<Boolean> followed) {
        StringBuilder letters = new StringBuilder();
        followed.forEach(one -> letters.append(one ? 'y' : 'n'));
        return letters.toString();
    }

    @Test
    void verdicts_areTheReferences() {
        InstructionList all = new Instructions(PUNKT)
                .of(document((List<?>) value(recorded.path("instruction_id_list")), (List<?>)
                        value(recorded.path("kwargs"))));

        assertThat(recorded.path("answers")).hasSize(58);
        for (JsonNode answer : recorded.path("answers")) {
            String text = answer.path("text").textValue();
            boolean told = text.codePoints().filter(Character::isLetter).count() >= LETTERS_TO_TELL_A_LANGUAGE;
            for (String kind : List.of("strict", "loose")) {
                String mine = letters(
                        kind.equals("strict")
                                ? all.by(text).strict()
                                : all.by(text).loose());
                String theirs = answer.path(kind).textValue();
                for (int index = 0; index < theirs.length(); index++) {
                    String name =
                            recorded.path("instruction_id_list").path(index).textValue();
                    if (told || !OF_LANGUAGES.contains(name)) {
                        assertThat(mine.charAt(index))
                                .as(
                                        "%s, %s %s: %s",
                                        kind, name, recorded.path("kwargs").path(index), text)
                                .isEqualTo(theirs.charAt(index));
                    }
                }
            }
        }
    }

    @Test
    void counts_areNltks() {
        Punkt punkt = Punkt.read(PUNKT);

        for (JsonNode counted : recorded.path("counts")) {
            String text = counted.path("text").textValue();
            assertThat(punkt.sentences(text)).isEqualTo(value(counted.path("sentences")));
            assertThat(Words.count(text))
                    .as(text)
                    .isEqualTo(counted.path("words").longValue());
            assertThat(punkt.sentences(text).stream().mapToLong(Words::capitals).sum())
                    .as(text)
                    .isEqualTo(counted.path("capitals").longValue());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            keywords:key_sentences | {}                                                    | an instruction of
            keywords:frequency     | {"keyword":"a","frequency":0,"relation":"at least"}   | frequency: expected a whole number above 0, got 0
            keywords:frequency     | {"keyword":"a","frequency":1,"relation":"about"}      | relation: expected at least or less than, got 'about'
            keywords:existence     | {}                                                    | keywords: expected texts, got None
            keywords:existence     | {"keywords":["("]}                                    | expected a regular expression, got (
            """)
    void of_whatCannotBeChecked_isRefused(String name, String arguments, String message) throws IOException {
        Map<String, Object> document = document(List.of(name), List.of(value(JSON.readTree(arguments))));

        assertThatThrownBy(() -> new Instructions(PUNKT).check(document))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(name)
                .hasMessageContaining(message);
    }

    @Test
    void of_sentencesWithoutParameters_isRefused() {
        Map<String, Object> document = document(
                List.of("length_constraints:number_sentences"),
                List.of(Map.of("num_sentences", 2L, "relation", "at least")));

        assertThatThrownBy(() -> new Instructions(FOLDER.resolve("absent")).check(document))
                .hasMessageContaining("punkt_tab")
                .hasMessageContaining("absent");
    }

    @Test
    void letterFrequency_aSign_isCounted() {
        Map<String, Object> document = document(
                List.of("keywords:letter_frequency"),
                List.of(Map.of("letter", "#", "let_frequency", 2L, "let_relation", "at least")));
        InstructionList hashes = new Instructions(PUNKT).of(document);

        assertThat(hashes.by("# #").strict()).containsExactly(true);
        assertThat(hashes.by("#").strict()).containsExactly(false);
    }
}
