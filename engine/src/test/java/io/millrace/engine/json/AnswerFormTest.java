package io.millrace.engine.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.OutputForm;
import io.millrace.engine.tokenizer.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AnswerFormTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int END = 0;
    private static final int END_OF_REASONING = 1;

    private static final String PERSON = """
            {"type": "object", "properties": {"name": {"type": "string", "maxLength": 6}, "né": {"type": "integer"},
             "na": {"enum": ["a", "ü\\n", 1.5, {"x": [1]}]}}, "required": ["name", "na"], "additionalProperties": false}""";

    /// All 256 bytes, and longer pieces that cross every border there is.
    private record Pieces(List<byte[]> pieces) implements Tokenizer {

        static Pieces random(Random random, String... more) {
            List<byte[]> pieces = new ArrayList<>(
                    List.of("<end>".getBytes(StandardCharsets.UTF_8), "</think>".getBytes(StandardCharsets.UTF_8)));
            for (int b = 0; b < 256; b++) {
                pieces.add(new byte[] {(byte) b});
            }
            for (String text : more) {
                pieces.add(text.getBytes(StandardCharsets.UTF_8));
            }
            String signs = "{}[]\",:\\ntuabe0-1. \u00e9\u20ac\ud83d\ude00";
            while (pieces.size() < 420) {
                byte[] piece = new byte[2 + random.nextInt(4)];
                byte[] from = signs.getBytes(StandardCharsets.UTF_8);
                for (int at = 0; at < piece.length; at++) {
                    piece[at] = random.nextInt(8) == 0 ? (byte) random.nextInt(256) : from[random.nextInt(from.length)];
                }
                pieces.add(piece);
            }
            return new Pieces(pieces);
        }

        @Override
        public int vocabSize() {
            return pieces.size();
        }

        @Override
        public int[] encodeText(CharSequence text) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int[] encodeWithControlTokens(String text) {
            throw new UnsupportedOperationException();
        }

        @Override
        public String decode(int[] ids) {
            throw new UnsupportedOperationException();
        }

        @Override
        public byte[] bytes(int id) {
            return pieces.get(id).clone();
        }

        @Override
        public boolean isControl(int id) {
            return id <= END_OF_REASONING;
        }

        @Override
        public OptionalInt controlId(String text) {
            return text.equals("</think>") ? OptionalInt.of(END_OF_REASONING) : OptionalInt.empty();
        }
    }

    private static AnswerForm begin(Tokenizer tokenizer, String schema, boolean afterReasoning) {
        return new AnswerForms(tokenizer, List.of(END)).begin(new OutputForm(schema, afterReasoning));
    }

    private static List<Integer> allowed(AnswerForm form, Tokenizer tokenizer) {
        float[] masked = form.mask(new float[tokenizer.vocabSize()]);
        List<Integer> allowed = new ArrayList<>();
        for (int token = 0; token < masked.length; token++) {
            if (masked[token] == 0) {
                allowed.add(token);
            }
        }
        return allowed;
    }

    private static List<Integer> allowedSlowly(JsonNode schema, ByteArrayOutputStream text, Tokenizer tokenizer) {
        List<Integer> allowed = new ArrayList<>();
        for (int token = 0; token < tokenizer.vocabSize(); token++) {
            ByteArrayOutputStream longer = new ByteArrayOutputStream();
            longer.writeBytes(text.toByteArray());
            longer.writeBytes(tokenizer.bytes(token));
            boolean fits = tokenizer.isControl(token)
                    ? token == END && SlowForm.isWhole(schema, text.toByteArray())
                    : SlowForm.isBeginning(schema, longer.toByteArray());
            if (fits) {
                allowed.add(token);
            }
        }
        return allowed;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                PERSON,
                "{}",
                "{\"type\": \"integer\"}",
                "{\"type\": [\"number\", \"null\"]}",
                "{\"type\": \"string\", \"minLength\": 2, \"maxLength\": 3}",
                "{\"type\": \"string\", \"minLength\": 2}",
                "{\"type\": \"array\", \"items\": {\"type\": \"boolean\"}, \"minItems\": 1, \"maxItems\": 3}",
                "{\"type\": \"array\", \"minItems\": 2}",
                "{\"type\": \"object\", \"properties\": {\"a\": {\"type\": \"null\"}}, \"required\": [\"a\", \"b\"]}",
                "{\"type\": \"object\", \"additionalProperties\": {\"type\": \"integer\"}}",
                "{\"anyOf\": [{\"type\": \"integer\"}, {\"const\": \"ab\"}, {\"type\": \"array\","
                        + " \"items\": {\"type\": \"integer\"}}, {\"type\": \"array\", \"items\": {\"const\": 1}}]}",
                "{\"type\": \"array\", \"items\": {\"$ref\": \"#\"}, \"maxItems\": 2}",
                "{\"type\": \"string\", \"pattern\": \"(?:a|be|b[t-u]{2}|\\\\\\\\n*)+n?\"}"
            })
    void mask_isThatOfTheSlowTwin_alongRandomAnswers(String schema) throws IOException {
        JsonNode tree = JSON.readTree(schema);
        // the twin tells a pattern's whole match
        String ours =
                schema.contains("pattern") ? schema.replace("(?:a|", "^(?:a|").replace("n?\"", "n?$\"") : schema;
        for (int seed = 0; seed < 3; seed++) {
            Random random = new Random(seed);
            Tokenizer tokenizer = schema.contains("pattern")
                    ? new Pieces(Pieces.random(random).pieces().subList(0, 130))
                    : Pieces.random(random, "\"name\":", "{\"na", "\\ud83d\\ude00", "true", "null,", "]]", "\"}");
            AnswerForm form = begin(tokenizer, ours, false);
            ByteArrayOutputStream text = new ByteArrayOutputStream();
            for (int step = 0; step < 14; step++) {
                List<Integer> allowed = allowed(form, tokenizer);
                assertThat(allowed)
                        .as("seed %d, behind %s", seed, text.toString(StandardCharsets.UTF_8))
                        .isEqualTo(allowedSlowly(tree, text, tokenizer))
                        .isNotEmpty();
                // white space is the dullest way on
                List<Integer> lively = allowed.stream()
                        .filter(each -> each != END
                                && !new String(tokenizer.bytes(each), StandardCharsets.ISO_8859_1).isBlank())
                        .toList();
                if (lively.isEmpty()) {
                    break;
                }
                int token = lively.get(random.nextInt(lively.size()));
                form.accept(token);
                text.writeBytes(tokenizer.bytes(token));
            }
        }
    }

    @Test
    void mask_spaces_comeToAnEnd() {
        Tokenizer tokenizer = Pieces.random(new Random(0));
        AnswerForm form = begin(tokenizer, PERSON, false);
        int space = 2 + ' ';
        for (int at = 0; at < Frame.MOST_SPACES; at++) {
            assertThat(allowed(form, tokenizer)).contains(space);
            form.accept(space);
        }
        assertThat(allowed(form, tokenizer)).doesNotContain(space).contains(2 + '{');
    }

    @Test
    void mask_reasoning_isFreeButDoesNotEndTheSequence() {
        Tokenizer tokenizer = Pieces.random(new Random(0));
        AnswerForm form = begin(tokenizer, "{\"type\": \"boolean\"}", true);

        assertThat(allowed(form, tokenizer)).hasSize(tokenizer.vocabSize() - 1).doesNotContain(END);
        form.accept(2 + 'x');
        assertThat(allowed(form, tokenizer)).hasSize(tokenizer.vocabSize() - 1).doesNotContain(END);
        form.accept(END_OF_REASONING);
        assertThat(allowed(form, tokenizer)).contains(2 + 't', 2 + 'f', 2 + ' ').doesNotContain(END, 2 + 'x');
        "true".chars().forEach(c -> form.accept(2 + c));
        assertThat(allowed(form, tokenizer)).containsExactly(END);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"type\": \"integer\", \"minimum\": 3} | schema #: expected keywords that can be kept to of a value of"
                        + " type integer, got minimum",
                "{\"properties\": {\"a\": {\"type\": \"string\", \"format\": \"date\"}}} | schema #/properties/a: expected"
                        + " keywords that can be kept to of a value of type string, got format",
                "{\"oneOf\": []} | schema #: expected keywords that can be kept to, got oneOf",
                "{\"anyOf\": [{}], \"type\": \"string\"} | schema #: expected nothing beside anyOf, got [type]",
                "{\"type\": \"text\"} | schema #/type: expected one of [array, boolean, integer, null, number, object,"
                        + " string], got \"text\"",
                "{\"$ref\": \"other.json\"} | schema #/$ref: expected a place in this schema (#/…), got \"other.json\"",
                "{\"items\": {\"$ref\": \"#/$defs/x\"}} | schema #/$defs/x: expected a schema there, got none",
                "{\"$ref\": \"#\"} | schema #: expected a schema that is not only itself",
                "{\"minItems\": 3, \"maxItems\": 2} | schema #: expected a least length of at most 2, got 3",
                "{\"pattern\": \"a(?=b)\"} | schema #/pattern: expected ( or (?: at character 2 of a(?=b), got a(?=b)",
                "false | schema #: expected a schema that allows some value, got false",
                "{ | schema: expected JSON, got Unexpected end-of-input",
            })
    void begin_schemaThatCannotBeKeptTo_saysWhatAndWhere(String schema, String message) {
        assertThatThrownBy(() -> begin(Pieces.random(new Random(0)), schema, false))
                .isInstanceOf(EngineException.class)
                .hasMessageStartingWith(message.replace("  ", " "));
    }

    @Test
    void begin_unanchoredPattern_findsItAnywhere() {
        Language language = Pattern.read("b\\d", "");

        assertThat(reads(language, "ab1c")).isTrue();
        assertThat(reads(language, "abc")).isFalse();
        assertThat(reads(Pattern.read("^b\\d", ""), "ab1")).isFalse();
        assertThat(reads(Pattern.read("[^a-c]$", ""), "xé")).isTrue();
        assertThat(reads(Pattern.read("^\\w{2,}-.?$", ""), "ab_-")).isTrue();
        assertThat(reads(Pattern.read("^\\w{2,}-.?$", ""), "a-")).isFalse();
    }

    private static boolean reads(Language language, String text) {
        Language at = language;
        for (int c : text.codePoints().toArray()) {
            at = at == null ? null : at.next(c);
        }
        return at != null && at.mayEnd();
    }
}
