package io.millrace.engine.json;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The automaton of a schema, made as far as it is walked: a state is a set of {@link Frame}s, and what
/// a byte and what a token lead to is worked out once for each. Which states are known changes no
/// answer, so they can all be forgotten when they become many. Confined to one thread.
final class JsonAutomaton {
    /// Where no byte leads on.
    static final int DEAD = -1;

    private static final int UNKNOWN = -2;
    /// Of a state the ways of 256 bytes take 1 KiB.
    private static final int MOST_STATES = 4096;
    /// The tokens of a large vocabulary take 16 KiB.
    private static final int MOST_MASKS = 256;

    private final Shape shape;
    private final TokenTrie trie;
    private final Map<Set<Frame>, Integer> numbers = new HashMap<>();
    private final List<State> states = new ArrayList<>();
    private int masks;

    private static final class State {
        private final Set<Frame> frames;
        private final int[] ways = new int[256];
        private @Nullable BitSet tokens;

        State(Set<Frame> frames) {
            this.frames = frames;
            Arrays.fill(ways, UNKNOWN);
        }
    }

    JsonAutomaton(Shape shape, TokenTrie trie) {
        this.shape = shape;
        this.trie = trie;
    }

    /// Before the first byte.
    Set<Frame> start() {
        return Set.of(new Frame.Value(shape, 0, new Frame.End()));
    }

    /// The tokens that may stand here.
    BitSet tokens(Set<Frame> frames) {
        if (states.size() > MOST_STATES || masks >= MOST_MASKS) {
            numbers.clear();
            states.clear();
            masks = 0;
        }
        State state = states.get(number(frames));
        BitSet tokens = state.tokens;
        if (tokens == null) {
            tokens = new BitSet(trie.vocabSize());
            collect(0, number(frames), tokens);
            state.tokens = tokens;
            masks++;
        }
        return tokens;
    }

    private void collect(int node, int state, BitSet into) {
        for (int child = trie.firstChild(node); child != TokenTrie.NONE; child = trie.nextSibling(child)) {
            int next = next(state, trie.byteOf(child));
            if (next != DEAD) {
                for (int token = trie.firstToken(child); token != TokenTrie.NONE; token = trie.nextToken(token)) {
                    into.set(token);
                }
                collect(child, next, into);
            }
        }
    }

    /// What a token's bytes lead to; empty if they may not stand here.
    Set<Frame> next(Set<Frame> frames, byte[] piece) {
        int state = number(frames);
        for (byte b : piece) {
            state = next(state, b & 0xFF);
            if (state == DEAD) {
                return Set.of();
            }
        }
        return states.get(state).frames;
    }

    private int next(int state, int b) {
        int known = states.get(state).ways[b];
        if (known != UNKNOWN) {
            return known;
        }
        Set<Frame> frames = Frame.step(states.get(state).frames, b);
        int next = frames.isEmpty() ? DEAD : number(frames);
        states.get(state).ways[b] = next;
        return next;
    }

    private int number(Set<Frame> frames) {
        Integer known = numbers.get(frames);
        if (known != null) {
            return known;
        }
        numbers.put(frames, states.size());
        states.add(new State(frames));
        return states.size() - 1;
    }

    static boolean mayEnd(Set<Frame> frames) {
        return frames.stream().anyMatch(Frame::mayEnd);
    }
}
