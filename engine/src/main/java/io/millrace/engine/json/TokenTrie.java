package io.millrace.engine.json;

import io.millrace.engine.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// All tokens of a vocabulary that ordinary text has, by their bytes: tokens that begin alike are
/// looked at once as far as they do. Immutable.
final class TokenTrie {
    static final int NONE = -1;

    // of each node: its byte, first child, next sibling, first token; of each token: the next of the same bytes
    private final int[] bytes;
    private final int[] children;
    private final int[] siblings;
    private final int[] tokens;
    private final int[] sames;
    private final int vocabSize;

    private TokenTrie(int nodes, int vocabSize) {
        bytes = new int[nodes];
        children = new int[nodes];
        siblings = new int[nodes];
        tokens = new int[nodes];
        sames = new int[vocabSize];
        this.vocabSize = vocabSize;
        Arrays.fill(children, NONE);
        Arrays.fill(siblings, NONE);
        Arrays.fill(tokens, NONE);
        Arrays.fill(sames, NONE);
    }

    static TokenTrie of(Tokenizer tokenizer) {
        List<byte[]> pieces = new ArrayList<>();
        int most = 1;
        for (int token = 0; token < tokenizer.vocabSize(); token++) {
            byte[] piece = tokenizer.isControl(token) ? new byte[0] : tokenizer.bytes(token);
            pieces.add(piece);
            most += piece.length;
        }
        TokenTrie trie = new TokenTrie(most, tokenizer.vocabSize());
        int used = 1;
        for (int token = 0; token < pieces.size(); token++) {
            int node = 0;
            for (byte signed : pieces.get(token)) {
                int child = trie.child(node, signed & 0xFF);
                if (child == NONE) {
                    child = used++;
                    trie.bytes[child] = signed & 0xFF;
                    trie.siblings[child] = trie.children[node];
                    trie.children[node] = child;
                }
                node = child;
            }
            if (node != 0) {
                trie.sames[token] = trie.tokens[node];
                trie.tokens[node] = token;
            }
        }
        return trie;
    }

    private int child(int node, int b) {
        int child = children[node];
        while (child != NONE && bytes[child] != b) {
            child = siblings[child];
        }
        return child;
    }

    int vocabSize() {
        return vocabSize;
    }

    int firstChild(int node) {
        return children[node];
    }

    int nextSibling(int node) {
        return siblings[node];
    }

    int byteOf(int node) {
        return bytes[node];
    }

    /// A token that ends at the node, or {@link #NONE}.
    int firstToken(int node) {
        return tokens[node];
    }

    /// The next token of the same bytes, or {@link #NONE}.
    int nextToken(int token) {
        return sames[token];
    }
}
