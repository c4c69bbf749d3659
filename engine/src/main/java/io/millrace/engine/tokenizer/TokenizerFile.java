package io.millrace.engine.tokenizer;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.io.JsonEOFException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.tokenizer.AddedTokens.AddedToken;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// What a Hugging Face `tokenizer.json` says, checked. Parts that change ids and are not understood here are
/// refused with their place; `truncation`, `padding` and `post_processor` are ignored: a text is never cut
/// or filled here, and the tokens a post-processor would add are written by whoever writes the prompt.
///
/// @param name of the file, for messages
/// @param places where in it vocabulary and merges stand
/// @param vocab piece in the byte alphabet → id; ids are unique
/// @param merges in order of rank
/// @param ignoreMerges a piece that is in the vocabulary as a whole is not merged up to
record TokenizerFile(
        String name,
        Places places,
        TextNormalizer normalizer,
        PreTokenizer preTokenizer,
        List<AddedToken> addedTokens,
        Map<String, Integer> vocab,
        List<Merge> merges,
        boolean ignoreMerges) {

    /// Ids are below this; the largest vocabularies have some 300,000.
    private static final int MAX_IDS = 1 << 24;

    /// The largest known file has 33 MB.
    private static final long MAX_FILE_BYTES = 64L << 20;

    private static final int MAX_STEPS = 64;

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            // a message would quote megabytes
            .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
            .build();

    /// Where vocabulary and merges stand in a file, for messages.
    record Places(String vocab, String merges) {
        private static final Places JSON = new Places("$.model.vocab", "$.model.merges");
    }

    /// Two pieces that become one.
    record Merge(int left, int right, int merged) {}

    /// @throws EngineException if the file cannot be read, is too large, or is not a tokenizer understood
    ///     here
    static TokenizerFile read(Path file) {
        try {
            long size = Files.size(file);
            if (size > MAX_FILE_BYTES) {
                throw new EngineException(
                        ErrorCode.MODEL_MISMATCH,
                        file + ": expected at most " + MAX_FILE_BYTES + " bytes, got " + size);
            }
            return parse(file.toString(), Files.readAllBytes(file));
        } catch (IOException e) {
            throw new EngineException(ErrorCode.MODEL_UNREADABLE, file + ": cannot be read: " + e, e);
        }
    }

    static TokenizerFile parse(String name, byte[] json) {
        JsonPlace root = new JsonPlace(name, "$", tree(name, json)).object();
        JsonPlace model = model(root);
        Map<String, Integer> vocab = vocab(model.member("vocab"));
        List<AddedToken> addedTokens = addedTokens(root, vocab);
        checkDensity(root, vocab, addedTokens);
        checkDecoder(root.member("decoder"));
        return new TokenizerFile(
                name,
                Places.JSON,
                root.optional("normalizer").map(TokenizerFile::normalizer).orElse(TextNormalizer.NONE),
                preTokenizer(root.member("pre_tokenizer")),
                addedTokens,
                vocab,
                merges(model.member("merges"), vocab),
                model.flag("ignore_merges", false));
    }

    private static JsonNode tree(String name, byte[] json) {
        try (JsonParser parser = JSON.createParser(json)) {
            try {
                return JSON.readValue(parser, JsonNode.class);
            } catch (JsonProcessingException e) {
                boolean cut = e instanceof JsonEOFException
                        || parser.currentLocation().getByteOffset() >= json.length;
                // what breaks a bound has no place of its own
                JsonLocation at = e.getLocation() == null ? parser.currentLocation() : e.getLocation();
                throw new EngineException(
                        cut ? ErrorCode.MODEL_UNREADABLE : ErrorCode.MODEL_MISMATCH,
                        name + ": not JSON at line " + at.getLineNr() + ", column " + at.getColumnNr() + ": "
                                + (cut ? "truncated, or still being copied: " : "") + e.getOriginalMessage(),
                        e);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(name, e);
        }
    }

    private static JsonPlace model(JsonPlace root) {
        JsonPlace model = root.member("model").object();
        Optional<JsonPlace> type = model.optional("type");
        if (type.isPresent() && !type.get().text().equals("BPE")) {
            throw type.get().expected("\"BPE\", the only model read here");
        }
        refuseIfTrue(model, "byte_fallback");
        refuseUnlessEmpty(model, "continuing_subword_prefix");
        refuseUnlessEmpty(model, "end_of_word_suffix");
        Optional<JsonPlace> dropout = model.optional("dropout");
        if (dropout.isPresent() && dropout.get().node().asDouble(1) != 0) {
            throw dropout.get().expected("no dropout");
        }
        return model;
    }

    private static void refuseIfTrue(JsonPlace model, String name) {
        if (model.flag(name, false)) {
            throw model.member(name).refused("not understood here: true");
        }
    }

    private static void refuseUnlessEmpty(JsonPlace model, String name) {
        Optional<JsonPlace> member = model.optional(name);
        if (member.isPresent() && !member.get().text().isEmpty()) {
            throw member.get().expected("none: a byte-level vocabulary has no affixes");
        }
    }

    private static Map<String, Integer> vocab(JsonPlace place) {
        place.object();
        Map<String, Integer> vocab = HashMap.newHashMap(place.node().size());
        Set<Integer> ids = HashSet.newHashSet(place.node().size());
        place.node().properties().forEach(entry -> {
            JsonPlace at = new JsonPlace(place.file(), place.path() + "[\"" + entry.getKey() + "\"]", entry.getValue());
            int id = at.intBelow(MAX_IDS);
            if (entry.getKey().isEmpty()) {
                throw at.refused("a piece without a character");
            }
            if (!ids.add(id)) {
                throw at.refused("the id " + id + " stands at two pieces");
            }
            vocab.put(entry.getKey(), id);
        });
        return vocab;
    }

    private static List<AddedToken> addedTokens(JsonPlace root, Map<String, Integer> vocab) {
        if (!root.member("added_tokens").hasValue()) {
            return List.of();
        }
        Map<Integer, String> pieces = HashMap.newHashMap(vocab.size());
        vocab.forEach((piece, id) -> pieces.put(id, piece));
        Set<String> contents = new HashSet<>();
        List<AddedToken> tokens = new ArrayList<>();
        for (JsonPlace place : root.member("added_tokens").elements()) {
            AddedToken token = addedToken(place.object());
            Integer inVocab = vocab.get(token.content());
            if (inVocab != null && inVocab != token.id()) {
                throw place.refused(
                        "id " + token.id() + ", but the vocabulary gives " + token.content() + " the id " + inVocab);
            }
            String holder = pieces.putIfAbsent(token.id(), token.content());
            if (!contents.add(token.content()) || (holder != null && !holder.equals(token.content()))) {
                throw place.refused("\"" + token.content() + "\" with id " + token.id() + " stands twice");
            }
            tokens.add(token);
        }
        return tokens;
    }

    private static AddedToken addedToken(JsonPlace place) {
        String content = place.member("content").text();
        if (content.isEmpty()) {
            throw place.member("content").expected("a text");
        }
        boolean special = place.flag("special", false);
        return new AddedToken(
                place.member("id").intBelow(MAX_IDS),
                content,
                place.flag("single_word", false),
                place.flag("lstrip", false),
                place.flag("rstrip", false),
                place.flag("normalized", !special));
    }

    private static void checkDensity(JsonPlace root, Map<String, Integer> vocab, List<AddedToken> addedTokens) {
        int highest = -1;
        for (int id : vocab.values()) {
            highest = Math.max(highest, id);
        }
        for (AddedToken token : addedTokens) {
            highest = Math.max(highest, token.id());
        }
        int count = vocab.size() + addedTokens.size();
        if (highest >= 4L * count + 1024) {
            throw root.member("model")
                    .member("vocab")
                    .refused("the highest id is " + highest + " for " + count
                            + " pieces: expected ids without such gaps");
        }
    }

    private static List<Merge> merges(JsonPlace place, Map<String, Integer> vocab) {
        List<JsonPlace> elements = place.elements();
        List<Merge> merges = new ArrayList<>(elements.size());
        for (JsonPlace element : elements) {
            String[] pair = pair(element);
            merges.add(new Merge(
                    id(vocab, pair[0], element), id(vocab, pair[1], element), id(vocab, pair[0] + pair[1], element)));
        }
        return merges;
    }

    /// Both forms: `"a b"` and `["a", "b"]`.
    private static String[] pair(JsonPlace element) {
        if (element.node().isTextual()) {
            String[] pair = element.text().split(" ", -1);
            if (pair.length != 2) {
                throw element.expected("two pieces with one blank between them");
            }
            return pair;
        }
        List<JsonPlace> pair = element.elements();
        if (pair.size() != 2) {
            throw element.expected("two pieces");
        }
        return new String[] {pair.get(0).text(), pair.get(1).text()};
    }

    private static int id(Map<String, Integer> vocab, String piece, JsonPlace element) {
        Integer id = vocab.get(piece);
        if (id == null) {
            throw element.refused("\"" + piece + "\" is not in the vocabulary");
        }
        return id;
    }

    private static TextNormalizer normalizer(JsonPlace place) {
        String type = place.object().member("type").text();
        return switch (type) {
            case "NFC", "NFD", "NFKC", "NFKD" -> new TextNormalizer.Form(Normalizer.Form.valueOf(type));
            case "Lowercase" -> new TextNormalizer.Lowercase();
            case "Sequence" -> {
                List<JsonPlace> steps = place.member("normalizers").elements();
                checkSteps(place, steps.size());
                yield new TextNormalizer.InOrder(
                        steps.stream().map(TokenizerFile::normalizer).toList());
            }
            default -> throw place.member("type").expected("NFC, NFD, NFKC, NFKD, Lowercase or Sequence");
        };
    }

    /// The steps, flattened; the last must be ByteLevel and no other may be.
    private static PreTokenizer preTokenizer(JsonPlace place) {
        List<PreTokenizer> steps = new ArrayList<>();
        addSteps(place, steps);
        checkSteps(place, steps.size());
        for (int step = 0; step < steps.size(); step++) {
            if ((steps.get(step) instanceof PreTokenizer.ByteLevel) != (step == steps.size() - 1)) {
                throw place.refused("expected ByteLevel as the last step and nowhere else");
            }
        }
        if (steps.isEmpty()) {
            throw place.refused("expected ByteLevel as the last step, got no step");
        }
        return new PreTokenizer.InOrder(steps);
    }

    private static void addSteps(JsonPlace place, List<PreTokenizer> steps) {
        String type = place.object().member("type").text();
        switch (type) {
            case "Sequence" -> place.member("pretokenizers").elements().forEach(step -> addSteps(step, steps));
            case "Split" -> steps.add(split(place));
            case "Digits" -> steps.add(digits(place));
            case "ByteLevel" ->
                steps.add(new PreTokenizer.ByteLevel(
                        place.flag("add_prefix_space", true), place.flag("use_regex", true)));
            default -> throw place.member("type").expected("Split, Digits, ByteLevel or Sequence");
        }
    }

    private static void checkSteps(JsonPlace place, int steps) {
        if (steps > MAX_STEPS) {
            throw place.refused("expected at most " + MAX_STEPS + " steps, got " + steps);
        }
    }

    private static PreTokenizer digits(JsonPlace place) {
        boolean individual = place.flag("individual_digits", false);
        return new PreTokenizer.Split(
                Pattern.compile("\\p{N}"),
                individual ? PreTokenizer.Behavior.ISOLATED : PreTokenizer.Behavior.CONTIGUOUS,
                false);
    }

    private static PreTokenizer split(JsonPlace place) {
        return new PreTokenizer.Split(
                pattern(place.member("pattern").object()),
                behavior(place.member("behavior")),
                place.flag("invert", false));
    }

    private static Pattern pattern(JsonPlace place) {
        Optional<JsonPlace> literal = place.optional("String");
        if (literal.isPresent()) {
            String text = literal.get().text();
            if (text.isEmpty() || text.length() > PatternTranslator.MAX_LENGTH) {
                throw literal.get().expected("a text of at most " + PatternTranslator.MAX_LENGTH + " chars");
            }
            return Pattern.compile(text, Pattern.LITERAL);
        }
        JsonPlace regex = place.member("Regex");
        try {
            return PatternTranslator.translate(regex.text());
        } catch (IllegalArgumentException e) {
            throw regex.refused(String.valueOf(e.getMessage()));
        }
    }

    private static PreTokenizer.Behavior behavior(JsonPlace place) {
        return switch (place.text()) {
            case "Removed" -> PreTokenizer.Behavior.REMOVED;
            case "Isolated" -> PreTokenizer.Behavior.ISOLATED;
            case "MergedWithPrevious" -> PreTokenizer.Behavior.MERGED_WITH_PREVIOUS;
            case "MergedWithNext" -> PreTokenizer.Behavior.MERGED_WITH_NEXT;
            case "Contiguous" -> PreTokenizer.Behavior.CONTIGUOUS;
            default -> throw place.expected("Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous");
        };
    }

    private static void checkDecoder(JsonPlace place) {
        String type = place.object().member("type").text();
        if (type.equals("Sequence")) {
            List<JsonPlace> steps = place.member("decoders").elements();
            if (steps.size() != 1) {
                throw place.member("decoders").expected("exactly one decoder, ByteLevel");
            }
            checkDecoder(steps.getFirst());
        } else if (!type.equals("ByteLevel")) {
            throw place.member("type").expected("ByteLevel");
        }
    }
}
