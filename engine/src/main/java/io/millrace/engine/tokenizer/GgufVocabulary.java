package io.millrace.engine.tokenizer;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.tokenizer.AddedTokens.AddedToken;
import io.millrace.engine.tokenizer.TokenizerFile.Merge;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// What a GGUF file says of its byte-level tokenizer, the keys behind `tokenizer.ggml.`. Its wishes for a BOS
/// or EOS around a text are not among them: as with a tokenizer.json, those are the prompt writer's.
///
/// @param file for messages
/// @param pre name of the rules that split a text before merging
/// @param tokens by id, in the byte alphabet; added tokens as they are
/// @param types by id, by llama.cpp's numbers; empty if all are ordinary
/// @param merges in order of rank, two pieces with a blank between them
public record GgufVocabulary(String file, String pre, List<String> tokens, List<Long> types, List<String> merges) {
    private static final long UNKNOWN = 2;
    private static final long CONTROL = 3;
    private static final long USER_DEFINED = 4;
    private static final long UNUSED = 5;

    public GgufVocabulary {
        tokens = List.copyOf(tokens);
        types = List.copyOf(types);
        merges = List.copyOf(merges);
    }

    /// The same as a tokenizer.json would have it.
    TokenizerFile tokenizerFile() {
        if (!types.isEmpty() && types.size() != tokens.size()) {
            throw fault("token_type", "as many as tokens, " + tokens.size() + ", got " + types.size());
        }
        NamedSplit split = NamedSplit.of(file, pre);
        Map<String, Integer> vocab = vocab();
        return new TokenizerFile(
                file,
                new TokenizerFile.Places("tokenizer.ggml.tokens", "tokenizer.ggml.merges"),
                split.normalizer(),
                split.preTokenizer(),
                addedTokens(),
                vocab,
                merges(vocab),
                split.ignoreMerges());
    }

    private Map<String, Integer> vocab() {
        Map<String, Integer> vocab = HashMap.newHashMap(tokens.size());
        for (int id = 0; id < tokens.size(); id++) {
            String token = tokens.get(id);
            if (isAdded(id) || isUnused(id)) {
                continue;
            }
            if (token.isEmpty()) {
                throw fault("tokens[" + id + "]", "a piece with a character, got none");
            }
            Integer earlier = vocab.putIfAbsent(token, id);
            if (earlier != null) {
                throw fault("tokens[" + id + "]", "a piece of its own, got that of " + earlier);
            }
        }
        return vocab;
    }

    private List<AddedToken> addedTokens() {
        List<AddedToken> added = new ArrayList<>();
        Set<String> contents = new HashSet<>();
        for (int id = 0; id < tokens.size(); id++) {
            String token = tokens.get(id);
            if (!isAdded(id)) {
                continue;
            }
            if (token.isEmpty() || !contents.add(token)) {
                throw fault("tokens[" + id + "]", "a text of its own, got \"" + token + "\"");
            }
            added.add(new AddedToken(id, token, false, false, false, false));
        }
        return added;
    }

    private boolean isAdded(int id) {
        long type = type(id);
        return type == UNKNOWN || type == CONTROL || type == USER_DEFINED;
    }

    /// A row of the embedding that no text becomes.
    private boolean isUnused(int id) {
        return type(id) == UNUSED;
    }

    private long type(int id) {
        return types.isEmpty() ? 1 : types.get(id);
    }

    private List<Merge> merges(Map<String, Integer> vocab) {
        List<Merge> known = new ArrayList<>(merges.size());
        for (int rank = 0; rank < merges.size(); rank++) {
            String merge = merges.get(rank);
            // a piece may begin with a blank, none ends with one
            int blank = merge.indexOf(' ', 1);
            if (blank < 0 || blank == merge.length() - 1) {
                throw fault("merges[" + rank + "]", "two pieces with a blank between them, got \"" + merge + "\"");
            }
            String left = merge.substring(0, blank);
            String right = merge.substring(blank + 1);
            Integer merged = vocab.get(left + right);
            // llama.cpp undoes a merge whose result is no token; left out, it never happens
            if (merged != null) {
                known.add(new Merge(id(vocab, left, rank), id(vocab, right, rank), merged));
            }
        }
        return known;
    }

    private int id(Map<String, Integer> vocab, String piece, int rank) {
        Integer id = vocab.get(piece);
        if (id == null) {
            throw fault("merges[" + rank + "]", "pieces of the vocabulary, got \"" + piece + "\"");
        }
        return id;
    }

    private EngineException fault(String key, String expectedAndGot) {
        return new EngineException(
                ErrorCode.MODEL_MISMATCH, file + ": tokenizer.ggml." + key + ": expected " + expectedAndGot);
    }
}
