package io.millrace.engine.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.api.EngineException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A vocabulary as GGUF has it gives the ids that the tokenizer.json gives it was made from.
class GgufVocabularyTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int TEXTS = 2000;
    private static final String WORDS =
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|%s| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
                    + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    /// What a converter makes of the small tokenizer: a token for every id.
    private static GgufVocabulary vocabulary(String pre) throws IOException {
        JsonNode root = JSON.readTree(SharedFiles.resource("small-tokenizer.json"));
        List<String> tokens = new ArrayList<>(Collections.nCopies(620, ""));
        List<Long> types = new ArrayList<>(Collections.nCopies(620, 5L));
        root.get("model").get("vocab").properties().forEach(entry -> {
            tokens.set(entry.getValue().asInt(), entry.getKey());
            types.set(entry.getValue().asInt(), 1L);
        });
        for (JsonNode token : root.get("added_tokens")) {
            tokens.set(token.get("id").asInt(), token.get("content").asText());
            types.set(token.get("id").asInt(), token.get("special").asBoolean() ? 3L : 4L);
        }
        tokens.replaceAll(token -> token.isEmpty() ? "[PAD]" : token);
        List<String> merges = new ArrayList<>();
        for (JsonNode merge : root.get("model").get("merges")) {
            merges.add(merge.get(0).asText() + " " + merge.get(1).asText());
        }
        return new GgufVocabulary("small.gguf", pre, tokens, types, merges);
    }

    @Test
    void encode_deepSeek() throws IOException {
        checkSame(vocabulary("deepseek-v3"), JSON.readTree(SharedFiles.resource("small-tokenizer.json")));
        checkSame(vocabulary("joyai-llm"), JSON.readTree(SharedFiles.resource("small-tokenizer.json")));
    }

    /// The rules as those models' own files have them.
    @ParameterizedTest
    @CsvSource({"qwen2, \\p{N}, NFC, false", "deepseek-r1-qwen, \\p{N}, , false", "llama-bpe, '\\p{N}{1,3}', , true"})
    void encode_wordRules(String pre, String numbers, String normalizer, boolean ignoreMerges) throws IOException {
        ObjectNode root = (ObjectNode) JSON.readTree(SharedFiles.resource("small-tokenizer.json"));
        ObjectNode sequence = root.putObject("pre_tokenizer").put("type", "Sequence");
        var steps = sequence.putArray("pretokenizers");
        ObjectNode split = steps.addObject().put("type", "Split").put("behavior", "Isolated");
        split.put("invert", false).putObject("pattern").put("Regex", WORDS.replace("%s", numbers));
        steps.addObject()
                .put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("use_regex", false);
        if (normalizer != null) {
            root.putObject("normalizer").put("type", normalizer);
            // as those models have them, and as llama.cpp looks for all
            root.get("added_tokens").forEach(token -> ((ObjectNode) token).put("normalized", false));
        }
        ((ObjectNode) root.get("model")).put("ignore_merges", ignoreMerges);
        checkSame(vocabulary(pre), root);
    }

    @Test
    void encode_gpt2() throws IOException {
        ObjectNode root = (ObjectNode) JSON.readTree(SharedFiles.resource("small-tokenizer.json"));
        root.putObject("pre_tokenizer")
                .put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("use_regex", true);
        checkSame(vocabulary("gpt-2"), root);
    }

    private static void checkSame(GgufVocabulary vocabulary, JsonNode json) throws IOException {
        BpeTokenizer expected = BpeTokenizer.parse("t.json", json.toString().getBytes(StandardCharsets.UTF_8));
        BpeTokenizer got = BpeTokenizer.of(vocabulary);
        RandomTexts texts = new RandomTexts(41);
        for (int round = 0; round < TEXTS; round++) {
            String text = texts.next();
            int[] ids = got.encodeWithControlTokens(text);
            assertThat(ids).as(text).isEqualTo(expected.encodeWithControlTokens(text));
            assertThat(got.encodeText(text)).as(text).isEqualTo(expected.encodeText(text));
            assertThat(got.decode(ids)).isEqualTo(expected.decode(ids));
        }
    }

    /// llama.cpp's own rules: punctuation apart, then GPT-2's, then digits from the left in threes.
    @Test
    void split_default() {
        List<String> pieces = new ArrayList<>();
        String text = "it's 12345\u0663 (ok)=>b\n\nc";
        NamedSplit.of("f", "default")
                .preTokenizer()
                .into((whole, start, end) -> pieces.add(whole.substring(start, end)))
                .piece(text, 0, text.length());
        assertThat(pieces)
                .containsExactly("it", "'", "s", " ", "123", "45\u0663", " ", "(", "ok", ")=>", "b", "\n", "\n", "c");
    }

    @Test
    void of_mergesIntoNoTokenAreLeftOut() throws IOException {
        GgufVocabulary small = vocabulary("gpt-2");
        List<String> merges = new ArrayList<>(small.merges());
        merges.addFirst("Q Q");
        BpeTokenizer tokenizer =
                BpeTokenizer.of(new GgufVocabulary("f", "gpt-2", small.tokens(), small.types(), merges));
        assertThat(tokenizer.encodeText("QQ the"))
                .isEqualTo(BpeTokenizer.of(small).encodeText("QQ the"));
    }

    @Test
    void of_faultsAreTold() throws IOException {
        GgufVocabulary small = vocabulary("gpt-2");
        check(new GgufVocabulary("f", "x", small.tokens(), small.types(), small.merges()), "f: tokenizer.ggml.pre: ");
        check(
                new GgufVocabulary("f", "gpt-2", small.tokens(), List.of(1L), small.merges()),
                "f: tokenizer.ggml.token_type: expected as many as tokens, 620, got 1");
        check(
                new GgufVocabulary("f", "gpt-2", small.tokens(), small.types(), List.of("ab")),
                "f: tokenizer.ggml.merges[0]: expected two pieces with a blank between them, got \"ab\"");
        List<String> tokens = new ArrayList<>(small.tokens());
        tokens.set(400, tokens.get(300));
        check(
                new GgufVocabulary("f", "gpt-2", tokens, small.types(), List.of()),
                "f: tokenizer.ggml.tokens[400]: expected a piece of its own, got that of 300");
        tokens.set(400, "tth");
        check(
                new GgufVocabulary("f", "gpt-2", tokens, small.types(), List.of("tt h")),
                "f: tokenizer.ggml.merges[0]: expected pieces of the vocabulary, got \"tt\"");
    }

    private static void check(GgufVocabulary vocabulary, String message) {
        assertThatThrownBy(() -> BpeTokenizer.of(vocabulary))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining(message);
    }
}
