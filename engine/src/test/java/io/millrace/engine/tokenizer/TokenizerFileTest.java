package io.millrace.engine.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizerFileTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /// A mutation takes some 10 ms; the allowance is for a machine that does other things too.
    private static final Duration HANGING = Duration.ofSeconds(20);

    private static ObjectNode small() {
        try {
            return (ObjectNode) JSON.readTree(SharedFiles.resource("small-tokenizer.json"));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static BpeTokenizer changed(Consumer<ObjectNode> change) {
        ObjectNode root = small();
        change.accept(root);
        return BpeTokenizer.parse("t.json", root.toString().getBytes(StandardCharsets.UTF_8));
    }

    private static void assertRefused(Consumer<ObjectNode> change, String place, String reason) {
        assertThatThrownBy(() -> changed(change))
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.MODEL_MISMATCH))
                .hasMessageStartingWith("t.json: " + place)
                .hasMessageContaining(reason);
    }

    private static ObjectNode model(ObjectNode root) {
        return (ObjectNode) root.get("model");
    }

    private static ObjectNode step(ObjectNode root, int step) {
        return (ObjectNode) root.get("pre_tokenizer").get("pretokenizers").get(step);
    }

    @Test
    void parse_whatIsNotUnderstood_isRefusedWithItsPlace() {
        assertRefused(root -> model(root).put("type", "Unigram"), "$.model.type", "\"BPE\"");
        assertRefused(root -> model(root).put("byte_fallback", true), "$.model.byte_fallback", "true");
        assertRefused(root -> model(root).put("end_of_word_suffix", "</w>"), "$.model.end_of_word_suffix", "none");
        assertRefused(root -> model(root).put("dropout", 0.1), "$.model.dropout", "no dropout");
        assertRefused(root -> root.putObject("normalizer").put("type", "Strip"), "$.normalizer.type", "got \"Strip\"");
        assertRefused(
                root -> step(root, 1).put("type", "Metaspace"),
                "$.pre_tokenizer.pretokenizers[1].type",
                "got \"Metaspace\"");
        assertRefused(
                root -> step(root, 0).put("behavior", "Glued"),
                "$.pre_tokenizer.pretokenizers[0].behavior",
                "Contiguous");
        assertRefused(
                root -> ((ObjectNode) step(root, 2).get("pattern")).put("Regex", "a|\\Kb"),
                "$.pre_tokenizer.pretokenizers[2].pattern.Regex",
                "the escape \\K");
        assertRefused(
                root -> ((ArrayNode) root.get("pre_tokenizer").get("pretokenizers")).remove(3),
                "$.pre_tokenizer",
                "ByteLevel");
        assertRefused(root -> root.putObject("decoder").put("type", "WordPiece"), "$.decoder.type", "ByteLevel");
        assertRefused(root -> root.remove("model"), "$.model", "got nothing");
    }

    @Test
    void parse_damagedTables_areRefusedWithTheirPlace() {
        assertRefused(
                root -> ((ObjectNode) model(root).get("vocab")).put("zz", 100),
                "$.model.vocab[",
                "stands at two pieces");
        assertRefused(
                root -> ((ObjectNode) model(root).get("vocab")).put("zz", 1 << 24),
                "$.model.vocab[\"zz\"]",
                "an integer from 0 to 16777215");
        assertRefused(
                root -> ((ObjectNode) model(root).get("vocab")).put("zz", 16_000_000), "$.model.vocab", "such gaps");
        assertRefused(
                root -> ((ObjectNode) model(root).get("vocab")).remove("~"),
                "$.model.vocab",
                "expected a piece \"~\" for the byte 126");
        assertRefused(
                root -> ((ArrayNode) model(root).get("merges")).insert(1, "a b c"), "$.model.merges[1]", "two pieces");
        assertRefused(
                root -> ((ArrayNode) model(root).get("merges")).insert(0, "a Q"), "$.model.merges[0]", "\"aQ\" is not");
        assertRefused(root -> added(root, 7).put("content", "<｜User｜>"), "$.added_tokens[7]", "stands twice");
        assertRefused(root -> added(root, 3).put("id", 5), "$.added_tokens[3]", "stands twice");
        assertRefused(root -> added(root, 0).put("id", 700), "$.added_tokens[0]", "the vocabulary gives");
    }

    private static ObjectNode added(ObjectNode root, int index) {
        return (ObjectNode) root.get("added_tokens").get(index);
    }

    @Test
    void parse_anAddedTokenThatTextCouldBecome_isRefused() {
        int the = small().get("model").get("vocab").get("Ġthe").intValue();
        assertRefused(
                root -> ((ArrayNode) root.get("added_tokens"))
                        .addObject()
                        .put("id", the)
                        .put("content", "Ġthe"),
                "$.model.merges[",
                "of an added token");
        int a = small().get("model").get("vocab").get("a").intValue();
        assertRefused(
                root -> ((ArrayNode) root.get("added_tokens"))
                        .addObject()
                        .put("id", a)
                        .put("content", "a"),
                "$.model.vocab[\"a\"]",
                "of an added token");
    }

    @Test
    void parse_bothFormsOfMerges_giveTheSameIds() {
        BpeTokenizer pairs = changed(root -> {
            ArrayNode merges = JsonNodeFactory.instance.arrayNode();
            model(root).get("merges").forEach(merge -> {
                ArrayNode pair = merges.addArray();
                if (merge.isArray()) {
                    merge.forEach(pair::add);
                } else {
                    Arrays.stream(merge.textValue().split(" ")).forEach(pair::add);
                }
            });
            model(root).set("merges", merges);
        });
        BpeTokenizer texts = changed(root -> {
            ArrayNode merges = JsonNodeFactory.instance.arrayNode();
            model(root)
                    .get("merges")
                    .forEach(merge -> merges.add(
                            merge.isArray()
                                    ? merge.get(0).textValue() + " "
                                            + merge.get(1).textValue()
                                    : merge.textValue()));
            model(root).set("merges", merges);
        });
        String text = "Alice was beginning to get very tired; 不亦說乎？";
        assertThat(pairs.encodeText(text)).isEqualTo(texts.encodeText(text));
    }

    @Test
    void ignoredMerges_takeAPieceWholeButNeverAControlToken() {
        BpeTokenizer whole = changed(root -> {
            model(root).put("ignore_merges", true);
            ((ArrayNode) root.get("pre_tokenizer").get("pretokenizers"))
                    .remove(List.of(0, 1, 2).getFirst());
            ObjectNode vocab = (ObjectNode) model(root).get("vocab");
            vocab.put("Ġzyx", 900).put("zyx", 901);
            ((ArrayNode) root.get("added_tokens")).addObject().put("id", 901).put("content", "zyx");
        });
        assertThat(whole.encodeText("a zyx")).endsWith(900);
        assertThat(Arrays.stream(whole.encodeText("zyx"))).noneMatch(whole::isControl);
        assertThat(whole.encodeWithControlTokens("zyx")).containsExactly(901);
    }

    @Test
    void addedTokens_takeWhiteSpaceAlongAndRespectWords() {
        BpeTokenizer tokenizer = changed(root -> {
            ArrayNode added = (ArrayNode) root.get("added_tokens");
            added.addObject().put("id", 700).put("content", "LL").put("lstrip", true);
            added.addObject().put("id", 701).put("content", "RR").put("rstrip", true);
            added.addObject().put("id", 702).put("content", "WW").put("single_word", true);
            added.addObject().put("id", 703).put("content", "LLRR");
        });
        assertThat(tokenizer.encodeWithControlTokens(" \u3000LL")).containsExactly(700);
        assertThat(tokenizer.encodeWithControlTokens("RR \n")).containsExactly(701);
        assertThat(tokenizer.encodeWithControlTokens("LLRR")).containsExactly(703);
        assertThat(tokenizer.encodeWithControlTokens("-WW")).endsWith(702);
        assertThat(tokenizer.encodeWithControlTokens("éWW")).doesNotContain(702);
        assertThat(tokenizer.encodeWithControlTokens("WW_")).doesNotContain(702);
    }

    @Test
    void postProcessor_addsNothing() {
        BpeTokenizer tokenizer =
                changed(root -> root.putObject("post_processor").put("type", "TemplateProcessing"));
        assertThat(tokenizer.encodeText("a")).hasSize(1);
    }

    @Test
    void read_ofNoJsonAndOfNoFile_namesTheFile(@TempDir Path folder) {
        assertThatThrownBy(() -> BpeTokenizer.parse("t.json", "{\"model\":\n x".getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(EngineException.class)
                .hasMessageStartingWith("t.json: not JSON at line 2");
        Path absent = folder.resolve("tokenizer.json");
        assertThatThrownBy(() -> BpeTokenizer.read(absent))
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.MODEL_UNREADABLE))
                .hasMessageStartingWith(absent.toString());
    }

    /// Mutated files either work or are refused with the file's name; they never hang and never end in
    /// another error.
    @Test
    void parse_ofMutatedFiles_worksOrNamesTheFile() {
        Random random = new Random(20);
        byte[] original = SharedFiles.resource("small-tokenizer.json");
        int refused = 0;
        for (int mutation = 0; mutation < 500; mutation++) {
            byte[] json = mutation % 2 == 0 ? mutatedBytes(original, random) : mutatedTree(random);
            boolean works = assertTimeoutPreemptively(HANGING, () -> worksOrIsRefused(json));
            refused += works ? 0 : 1;
        }
        assertThat(refused).isBetween(100, 480);
    }

    private static boolean worksOrIsRefused(byte[] json) {
        try {
            BpeTokenizer tokenizer = BpeTokenizer.parse("mutated.json", json);
            tokenizer.decode(tokenizer.encodeWithControlTokens("Alice <think> 1234 不亦說乎？\n\n  x"));
            return true;
        } catch (EngineException e) {
            assertThat(e).hasMessageStartingWith("mutated.json: ");
            return false;
        }
    }

    private static byte[] mutatedBytes(byte[] original, Random random) {
        byte[] json = original.clone();
        // half of them in the head, where the rules stand
        int bound = random.nextBoolean() ? json.length : 3000;
        json[random.nextInt(bound)] = (byte) (random.nextInt(4) == 0 ? random.nextInt(256) : 32 + random.nextInt(95));
        return random.nextInt(10) == 0 ? Arrays.copyOf(json, random.nextInt(json.length)) : json;
    }

    /// One value anywhere in the tree replaced or removed: well-formed JSON that says something else.
    private static byte[] mutatedTree(Random random) {
        ObjectNode root = small();
        List<JsonNode> containers = new ArrayList<>();
        collect(root, containers);
        JsonNode container = containers.get(random.nextInt(containers.size()));
        JsonNodeFactory nodes = JsonNodeFactory.instance;
        JsonNode value = List.of(
                        nodes.nullNode(),
                        nodes.booleanNode(true),
                        nodes.numberNode(random.nextInt()),
                        nodes.numberNode(1e300),
                        nodes.textNode("("),
                        nodes.textNode("\uD800"),
                        nodes.textNode("x".repeat(100_000)),
                        nodes.arrayNode(),
                        nodes.objectNode())
                .get(random.nextInt(9));
        if (container instanceof ObjectNode object && !object.isEmpty()) {
            List<String> names = new ArrayList<>();
            object.fieldNames().forEachRemaining(names::add);
            String name = names.get(random.nextInt(names.size()));
            if (random.nextInt(4) == 0) {
                object.remove(name);
            } else {
                object.set(name, value);
            }
        } else if (container instanceof ArrayNode array && !array.isEmpty()) {
            array.set(random.nextInt(array.size()), value);
        }
        return root.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static void collect(JsonNode node, List<JsonNode> containers) {
        if (node.isContainerNode()) {
            containers.add(node);
            // merges alike are many: one is enough
            int seen = 0;
            for (JsonNode child : node) {
                if (seen++ < 30) {
                    collect(child, containers);
                }
            }
        }
    }
}
