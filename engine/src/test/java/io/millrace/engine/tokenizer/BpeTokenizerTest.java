package io.millrace.engine.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BpeTokenizerTest {
    private static final Tokenizer SMALL = SharedFiles.smallTokenizer();

    private static JsonNode golden() throws IOException {
        return JsonMapper.builder().build().readTree(SharedFiles.resource("small-tokenizer-golden.json"));
    }

    private static int[] ints(JsonNode array) {
        return IntStream.range(0, array.size())
                .map(at -> array.get(at).intValue())
                .toArray();
    }

    @Test
    void encodeText_givesTheIdsOfHuggingFace() throws IOException {
        for (JsonNode golden : golden().get("cases")) {
            String text = golden.get("text").textValue();
            assertThat(SMALL.encodeText(text)).as(text).isEqualTo(ints(golden.get("plain")));
        }
    }

    @Test
    void encodeWithControlTokens_givesTheIdsOfHuggingFace() throws IOException {
        for (JsonNode golden : golden().get("cases")) {
            String text = golden.get("text").textValue();
            assertThat(SMALL.encodeWithControlTokens(text)).as(text).isEqualTo(ints(golden.get("control")));
        }
    }

    @Test
    void decode_replacesMalformedBytesAsHuggingFaceDoes() throws IOException {
        for (JsonNode golden : golden().get("decoded")) {
            int[] ids = ints(golden.get("ids"));
            assertThat(SMALL.decode(ids))
                    .as(Arrays.toString(ids))
                    .isEqualTo(golden.get("text").textValue());
        }
    }

    @Test
    void decode_restoresEveryText() {
        RandomTexts texts = new RandomTexts(1);
        for (int round = 0; round < 2000; round++) {
            String text = texts.next();
            assertThat(SMALL.decode(SMALL.encodeText(text))).isEqualTo(text);
            assertThat(SMALL.decode(SMALL.encodeWithControlTokens(text))).isEqualTo(text);
        }
    }

    @Test
    void decode_restoresEveryCodePoint() {
        StringBuilder all = new StringBuilder();
        for (int codePoint = 0; codePoint <= Character.MAX_CODE_POINT; codePoint += codePoint < 0x3000 ? 1 : 97) {
            if (codePoint < 0xD800 || codePoint > 0xDFFF) {
                all.appendCodePoint(codePoint);
            }
        }
        assertThat(SMALL.decode(SMALL.encodeText(all))).isEqualTo(all.toString());
    }

    @Test
    void encodeText_neverGivesAControlId() {
        RandomTexts texts = new RandomTexts(2);
        for (int round = 0; round < 2000; round++) {
            assertThat(Arrays.stream(SMALL.encodeText(texts.next()))).noneMatch(SMALL::isControl);
        }
    }

    @Test
    void encodeText_ofUnpairedSurrogates_isThatOfReplacementCharacters() {
        assertThat(SMALL.encodeText("a\uD83Db\uDE00c\uD83D\uDE00\uD83D"))
                .isEqualTo(SMALL.encodeText("a\uFFFDb\uFFFDc\uD83D\uDE00\uFFFD"));
        assertThat(SMALL.encodeWithControlTokens("\uDE00<think>"))
                .isEqualTo(SMALL.encodeWithControlTokens("\uFFFD<think>"));
    }

    @Test
    void encodeText_takesMillionsOfCharactersOfOneKind() {
        for (String unit : List.of("\u0301", " ", "\n", "。", "𠀀")) {
            assertRestored(unit, 5_000_000);
        }
        for (String unit : List.of(" \n", "a𐐀", "7", "\t ", "e\u0301", "!a", "\u3000")) {
            assertRestored(unit, 1_000_000);
        }
    }

    @Test
    void encodeText_ofOneEndlessPiece_mergesItInParts() {
        for (String unit : List.of("x", "𐐀")) {
            String part = unit.repeat(BpeTokenizer.MAX_MERGED_CHARS / unit.length());
            int[] whole = SMALL.encodeText(part);
            assertThat(SMALL.encodeText(part + unit.repeat(3)))
                    .hasSize(whole.length + SMALL.encodeText(unit.repeat(3)).length)
                    .startsWith(whole);
        }
        // an odd char before pairs: no pair is torn apart
        String odd = "x" + "𐐀".repeat(BpeTokenizer.MAX_MERGED_CHARS);
        assertThat(SMALL.decode(SMALL.encodeText(odd)).equals(odd)).isTrue();
    }

    private static void assertRestored(String unit, int chars) {
        String text = unit.repeat(chars / unit.length());
        assertThat(SMALL.decode(SMALL.encodeText(text)).equals(text))
                .as("round trip of %s", unit)
                .isTrue();
    }

    @Test
    void bytes_ofIdsWithoutPiece_areEmpty() {
        assertThat(SMALL.bytes(SMALL.vocabSize())).isEmpty();
        assertThat(SMALL.decode(new int[] {SMALL.vocabSize() + 7, Integer.MAX_VALUE}))
                .isEmpty();
        assertThat(SMALL.isControl(Integer.MAX_VALUE)).isFalse();
    }

    @Test
    void bytes_ofANegativeId_areRefused() {
        assertThatThrownBy(() -> SMALL.bytes(-1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("-1");
    }

    @Test
    void bytes_areACopy() {
        byte[] piece = SMALL.bytes(100);
        Arrays.fill(piece, (byte) '!');
        assertThat(SMALL.bytes(100)).isNotEqualTo(piece);
    }

    @Test
    void controlId_knowsAddedTokensOnly() {
        int think = SMALL.controlId("<think>").orElseThrow();
        assertThat(SMALL.isControl(think)).isTrue();
        assertThat(SMALL.bytes(think)).isEqualTo("<think>".getBytes(StandardCharsets.UTF_8));
        assertThat(SMALL.controlId("a")).isEmpty();
        assertThat(SMALL.controlId("<thinking>")).isEmpty();
    }

    @Test
    void acceptedIds_joinToTheDecodedText() {
        Random random = new Random(3);
        for (int round = 0; round < 2000; round++) {
            int[] ids =
                    random.ints(random.nextInt(12), 0, SMALL.vocabSize() + 2).toArray();
            TokenTextDecoder decoder = new TokenTextDecoder(SMALL);
            StringBuilder text = new StringBuilder();
            for (int id : ids) {
                String part = decoder.accept(id);
                text.append(part);
            }
            assertThat(text.append(decoder.finish()).toString()).isEqualTo(SMALL.decode(ids));
        }
    }

    @Test
    void accept_holdsACharacterBackUntilItIsComplete() {
        int[] ids = SMALL.encodeText("𠀀");
        TokenTextDecoder decoder = new TokenTextDecoder(SMALL);
        for (int at = 0; at + 1 < ids.length; at++) {
            assertThat(decoder.accept(ids[at])).isEmpty();
        }
        assertThat(decoder.accept(ids[ids.length - 1])).isEqualTo("𠀀");
        assertThat(decoder.finish()).isEmpty();
        assertThat(decoder.accept(ids[0])).isEmpty();
        assertThat(decoder.finish()).isEqualTo("\uFFFD");
    }

    @Test
    void encodeText_fromManyThreads_givesTheSameIds() throws InterruptedException {
        Tokenizer shared = SharedFiles.smallTokenizer();
        RandomTexts random = new RandomTexts(4);
        List<String> texts =
                IntStream.range(0, 300).mapToObj(round -> random.next()).toList();
        List<int[]> expected = texts.stream().map(SMALL::encodeText).toList();
        boolean[] agrees = new boolean[4];
        Thread[] threads = new Thread[agrees.length];
        for (int at = 0; at < threads.length; at++) {
            int thread = at;
            threads[at] = new Thread(() -> agrees[thread] = IntStream.range(0, texts.size())
                    .allMatch(text -> Arrays.equals(shared.encodeText(texts.get(text)), expected.get(text))));
            threads[at].start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(agrees).containsOnly(true);
    }

    @Test
    void read_understandsTheTokenizerOfTheStoriesModel() {
        Tokenizer stories = BpeTokenizer.read(SharedFiles.shared("models/stories-v4/tokenizer.json"));
        assertThat(stories.vocabSize()).isEqualTo(1024);
        assertThat(stories.encodeWithControlTokens("<|begin_of_text|>a<|user|>")[0])
                .isZero();
        assertThat(Arrays.stream(stories.encodeText("<|begin_of_text|>"))).noneMatch(stories::isControl);
        assertThat(stories.decode(stories.encodeText("Once upon a time, 1 hare…")))
                .isEqualTo("Once upon a time, 1 hare…");
    }
}
