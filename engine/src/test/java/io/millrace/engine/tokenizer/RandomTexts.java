package io.millrace.engine.tokenizer;

import java.util.List;
import java.util.Random;

/// Seeded texts that a splitter may trip over: mixed scripts, marks, emoji, runs of white space, digits,
/// code, and spellings of control tokens. Only characters that were assigned before Unicode 13, so that
/// libraries with older tables agree.
public final class RandomTexts {
    private static final int[][] RANGES = {
        {0x20, 0x7E},
        {0x20, 0x7E},
        {0x20, 0x7E},
        {0x30, 0x39},
        {0xA0, 0xFF},
        {0x100, 0x24F},
        {0x300, 0x36F},
        {0x391, 0x3A1},
        {0x400, 0x4FF},
        {0x5D0, 0x5EA},
        {0x620, 0x6D3},
        {0x905, 0x939},
        {0x93E, 0x94D},
        {0xE01, 0xE3A},
        {0x1100, 0x11FF},
        {0x2000, 0x2064},
        {0x20A0, 0x20BF},
        {0x2100, 0x214F},
        {0x2150, 0x2188},
        {0x2200, 0x22FF},
        {0x2460, 0x24FF},
        {0x3000, 0x303F},
        {0x3041, 0x3096},
        {0x30A0, 0x30FF},
        {0x4E00, 0x9FA5},
        {0x4E00, 0x9FA5},
        {0xAC00, 0xD7A3},
        {0xF900, 0xFA6D},
        {0xFE00, 0xFE0F},
        {0xFF01, 0xFF5E},
        {0x10400, 0x1044F},
        {0x1D400, 0x1D454},
        {0x1D7CE, 0x1D7FF},
        {0x1F300, 0x1F64F},
        {0x1F1E6, 0x1F1FF},
        {0x20000, 0x2A6D6},
        {0, 0x1F},
    };
    private static final int[] SPACES = {
        ' ', ' ', ' ', ' ', '\n', '\n', '\r', '\t', 0xB, 0xC, 0x1C, 0x1F, 0x85, 0xA0, 0x1680, 0x180E, 0x2003, 0x200B,
        0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF
    };
    private static final List<String> WORDS = List.of(
            "the",
            "Alice",
            "don't",
            "we'LL",
            "I'VE",
            "'ſ",
            "foo_bar",
            "x+=1;",
            "/* */",
            "<html>",
            "https://a.b/c?d=e",
            "毕老师",
            "こんにちは",
            "привет",
            "שלום",
            "नमस्ते",
            "😀",
            "👨‍👩‍👧‍👦",
            "🇩🇪",
            "é",
            "é",
            "ﬁ",
            "½",
            "1234567",
            "3.14e-5",
            "<｜User｜>",
            "<｜end▁of▁sentence｜>",
            "<think>",
            "</think>",
            "｜DSML｜",
            "<|user|>",
            "<|end_of_text|>",
            "<｜User",
            "｜>");

    private final Random random;

    public RandomTexts(long seed) {
        random = new Random(seed);
    }

    public String next() {
        StringBuilder text = new StringBuilder();
        for (int part = random.nextInt(25); part >= 0; part--) {
            switch (random.nextInt(4)) {
                case 0 -> text.append(WORDS.get(random.nextInt(WORDS.size())));
                case 1 -> text.append(' ');
                case 2 -> appendSpaces(text);
                default -> appendRange(text, RANGES[random.nextInt(RANGES.length)]);
            }
        }
        return text.toString();
    }

    private void appendSpaces(StringBuilder text) {
        for (int left = random.nextInt(5); left >= 0; left--) {
            text.appendCodePoint(SPACES[random.nextInt(SPACES.length)]);
        }
    }

    private void appendRange(StringBuilder text, int[] range) {
        for (int left = random.nextInt(5); left >= 0; left--) {
            int codePoint = range[0] + random.nextInt(range[1] - range[0] + 1);
            if (Character.isDefined(codePoint)) {
                text.appendCodePoint(codePoint);
            }
        }
    }
}
