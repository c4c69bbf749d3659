package io.millrace.engine.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Ours against Hugging Face's own library, bound by DJL. Only here: the native library is no dependency of
/// the engine.
class HuggingFaceParityTest {
    private static final int TEXTS = 400;
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private static final String LLAMA3 = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    private static HuggingFaceTokenizer oracle(byte[] json) throws IOException {
        return HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(json), Map.of("addSpecialTokens", "false"));
    }

    private static int[] ids(HuggingFaceTokenizer oracle, String text) {
        return Arrays.stream(oracle.encode(text, false, false).getIds())
                .mapToInt(Math::toIntExact)
                .toArray();
    }

    private static void assertParity(byte[] json, long seed) throws IOException {
        BpeTokenizer ours = BpeTokenizer.parse("t.json", json);
        ObjectNode plainJson = (ObjectNode) JSON.readTree(json);
        plainJson.putArray("added_tokens");
        try (HuggingFaceTokenizer oracle = oracle(json);
                HuggingFaceTokenizer plain = oracle(plainJson.toString().getBytes(StandardCharsets.UTF_8))) {
            RandomTexts texts = new RandomTexts(seed);
            for (int round = 0; round < TEXTS; round++) {
                String text = texts.next();
                assertThat(ours.encodeWithControlTokens(text)).as(text).isEqualTo(ids(oracle, text));
                assertThat(ours.encodeText(text)).as(text).isEqualTo(ids(plain, text));
            }
        }
    }

    private static byte[] withPreTokenizer(String preTokenizer, String normalizer) throws IOException {
        ObjectNode root = (ObjectNode) JSON.readTree(SharedFiles.resource("small-tokenizer.json"));
        root.set("pre_tokenizer", JSON.readTree(preTokenizer));
        root.set("normalizer", JSON.readTree(normalizer));
        return root.toString().getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void deepSeekSplits_agree() throws IOException {
        assertParity(SharedFiles.resource("small-tokenizer.json"), 31);
    }

    @Test
    void storiesTokenizer_agrees() throws IOException {
        byte[] json = Files.readAllBytes(SharedFiles.shared("models/stories-v4/tokenizer.json"));
        ObjectNode root = (ObjectNode) JSON.readTree(json);
        // the file leaves out what that library insists on
        ((ObjectNode) root.get("decoder"))
                .put("add_prefix_space", true)
                .put("trim_offsets", true)
                .put("use_regex", true);
        assertParity(root.toString().getBytes(StandardCharsets.UTF_8), 32);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"null", "{\"type\":\"NFC\"}", "{\"type\":\"NFD\"}", "{\"type\":\"NFKC\"}", "{\"type\":\"NFKD\"}"
            })
    void gpt2SplitsOfNormalizedText_agree(String normalizer) throws IOException {
        assertParity(
                withPreTokenizer(
                        "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true,\"use_regex\":true}",
                        normalizer),
                33);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"})
    void behaviors_agree(String behavior) throws IOException {
        ObjectNode sequence = JSON.createObjectNode().put("type", "Sequence");
        sequence.putArray("pretokenizers")
                .add(JSON.readTree("{\"type\":\"Digits\",\"individual_digits\":true}"))
                .add(split(behavior, "[\\s\\p{P}]", true))
                .add(split(behavior, LLAMA3, false))
                .add(
                        JSON.readTree(
                                "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":false}"));
        if (behavior.equals("Removed")) {
            // all that LLAMA3 matches would be gone
            ((ArrayNode) sequence.get("pretokenizers")).remove(2);
        }
        assertParity(withPreTokenizer(sequence.toString(), "{\"type\":\"Lowercase\"}"), 34);
    }

    private static ObjectNode split(String behavior, String regex, boolean invert) {
        ObjectNode split = JSON.createObjectNode()
                .put("type", "Split")
                .put("behavior", behavior)
                .put("invert", invert);
        split.putObject("pattern").put("Regex", regex);
        return split;
    }
}
