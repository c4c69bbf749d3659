package io.millrace.engine.tokenizer;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/// How a text is prepared before merging, for the names that GGUF files give instead of the rules themselves
/// (`tokenizer.ggml.pre`). The rules are those of the models' own tokenizer.json files; of `default`, which
/// no such file stands behind, those of llama.cpp.
///
/// @param ignoreMerges a piece that is in the vocabulary as a whole is not merged up to
record NamedSplit(TextNormalizer normalizer, PreTokenizer preTokenizer, boolean ignoreMerges) {
    private static final String CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private static final String GPT2 =
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
    private static final List<String> DEEPSEEK = List.of(
            "\\p{N}{1,3}",
            "[一-龥\u3040-ゟ゠-ヿ]+",
            "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
                    + "| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+");
    private static final List<String> DEFAULT = List.of("[\\p{P}$+<=>\\^~|]+", GPT2, "\\p{N}+", "[0-9][0-9][0-9]");

    /// The rules of that name.
    ///
    /// @param file for the message
    /// @throws EngineException MODEL_MISMATCH if the name is not known
    static NamedSplit of(String file, String pre) {
        return switch (pre) {
            case "deepseek-v3", "joyai-llm", "hunyuan-dense" -> plain(DEEPSEEK);
            case "qwen2" ->
                new NamedSplit(new TextNormalizer.Form(Normalizer.Form.NFC), inOrder(List.of(words("\\p{N}"))), false);
            case "deepseek-r1-qwen" -> plain(List.of(words("\\p{N}")));
            case "llama-bpe", "llama-v3", "llama3" ->
                new NamedSplit(TextNormalizer.NONE, inOrder(List.of(words("\\p{N}{1,3}"))), true);
            case "gpt-2" -> plain(List.of(GPT2));
            case "default" -> plain(DEFAULT);
            default ->
                throw new EngineException(
                        ErrorCode.MODEL_MISMATCH,
                        file + ": tokenizer.ggml.pre: expected deepseek-v3, joyai-llm, hunyuan-dense, qwen2,"
                                + " deepseek-r1-qwen, llama-bpe, llama-v3, llama3, gpt-2 or default, got \"" + pre
                                + "\"");
        };
    }

    /// Contractions, words with a character before them, numbers, other signs, white space.
    private static String words(String numbers) {
        return CONTRACTIONS + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" + numbers
                + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    }

    private static NamedSplit plain(List<String> patterns) {
        return new NamedSplit(TextNormalizer.NONE, inOrder(patterns), false);
    }

    private static PreTokenizer inOrder(List<String> patterns) {
        List<PreTokenizer> steps = new ArrayList<>();
        for (String pattern : patterns) {
            Pattern translated = PatternTranslator.translate(pattern);
            steps.add(new PreTokenizer.Split(translated, PreTokenizer.Behavior.ISOLATED, false));
        }
        steps.add(new PreTokenizer.ByteLevel(false, false));
        return new PreTokenizer.InOrder(steps);
    }
}
