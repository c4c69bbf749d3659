package io.millrace.engine.decode;

import io.millrace.engine.cache.SequenceCache;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// What prompts have in common: a radix tree over the token ids of the requests under way, with the caches of
/// prefixes that more than one of them begins with.
///
/// 1. The tree learns of a prompt when its request arrives, so that where prompts part is known before they
///    are computed. A prefix ends exactly there: caches fork at any position without a change of bits, and a
///    prefill that pauses there is a chunk like any other.
/// 2. A prefix is kept for every place on the way of a running prompt at which one that has not begun parts
///    from it or ends. One sequence builds it; the others that begin with it wait for that. If the builder
///    leaves, the next one builds it.
/// 3. The last token of a prompt is left out: each row computes it itself, since its logits are wanted.
/// 4. A prefix is forked from the longest that was there when it was built, whose pages it shares. One that
///    nothing was forked from and no running row uses may be evicted; the least recently used goes first.
/// 5. Places without a prefix last as long as the requests that run through them.
///
/// Used by the batch thread alone.
final class PrefixTree {
    /// A prefix worth keeping has at least this many tokens more than the one it continues: to fork a cache
    /// costs about what a few tokens cost.
    static final int LEAST_TOKENS = 16;

    private final Node root = new Node(new int[0], 0, null);
    // with no uses, least recently used first
    private final LinkedHashSet<Prefix> unused = new LinkedHashSet<>();
    private long bytes;

    /// The end of a run of tokens that nothing parts.
    static final class Node {
        // its first `depth` ids are the way here from the root; any prompt that runs through here will do
        private final int[] tokens;
        private final int depth;
        private @Nullable Node parent;
        private final Map<Integer, Node> children = new HashMap<>();
        // requests under way whose prompt ends here
        private int ends;
        // requests through here that have not begun
        private int waiting;
        private @Nullable Sequence builder;
        private @Nullable Prefix prefix;

        private Node(int[] tokens, int depth, @Nullable Node parent) {
            this.tokens = tokens;
            this.depth = depth;
            this.parent = parent;
        }
    }

    /// A computed prefix.
    static final class Prefix {
        private final SequenceCache cache;
        private final Node node;
        private final @Nullable Prefix base;
        // running rows and other prefixes that were forked from it
        private int uses;

        private Prefix(SequenceCache cache, Node node, @Nullable Prefix base) {
            this.cache = cache;
            this.node = node;
            this.base = base;
        }

        SequenceCache cache() {
            return cache;
        }
    }

    /// Bytes of all prefixes.
    long bytes() {
        return bytes;
    }

    /// Learns of a request that has arrived.
    void enter(Sequence sequence) {
        int length = sequence.promptSize() - 1;
        if (length < LEAST_TOKENS) {
            return;
        }
        Node end = path(sequence.tokens(), length);
        end.ends++;
        for (Node node = end; node != null; node = node.parent) {
            node.waiting++;
        }
        sequence.node(end);
    }

    private Node path(int[] tokens, int length) {
        Node node = root;
        while (node.depth < length) {
            Node child = node.children.get(tokens[node.depth]);
            if (child == null) {
                child = new Node(tokens, length, node);
                node.children.put(tokens[node.depth], child);
                return child;
            }
            int end = Math.min(child.depth, length);
            int same = Arrays.mismatch(tokens, node.depth, end, child.tokens, node.depth, end);
            int parting = same < 0 ? end : node.depth + same;
            node = parting == child.depth ? child : split(child, parting);
        }
        return node;
    }

    private static Node split(Node child, int depth) {
        Node parent = Objects.requireNonNull(child.parent, "the root is never split");
        Node upper = new Node(child.tokens, depth, parent);
        upper.waiting = child.waiting;
        parent.children.put(child.tokens[parent.depth], upper);
        upper.children.put(child.tokens[depth], child);
        child.parent = upper;
        return upper;
    }

    /// The longest prefix that a request could begin with.
    @Nullable
    Prefix longest(Sequence sequence) {
        for (Node node = sequence.node(); node != null; node = node.parent) {
            if (node.prefix != null) {
                return node.prefix;
            }
        }
        return null;
    }

    /// Whether another row is about to build a longer prefix than there is for a request.
    boolean mustWait(Sequence sequence) {
        Node built = null;
        for (Node node = sequence.node(); node != null; node = node.parent) {
            if (node.builder != null && built == null) {
                built = node;
            }
            if (node.prefix != null) {
                return built != null && built.depth - node.depth >= LEAST_TOKENS;
            }
        }
        return built != null;
    }

    /// A request begins to be computed.
    void begin(Sequence sequence) {
        for (Node node = sequence.node(); node != null; node = node.parent) {
            node.waiting--;
        }
    }

    /// A request leaves before it has begun.
    void withdraw(Sequence sequence) {
        begin(sequence);
        leave(sequence);
    }

    /// A request that has begun leaves.
    void leave(Sequence sequence) {
        stop(sequence, null);
        Node node = sequence.node();
        if (node != null) {
            node.ends--;
            sequence.node(null);
            prune(node);
        }
        release(sequence.base());
    }

    /// Decides at which position a row is to pause next, and that it builds the prefix up to there.
    ///
    /// @return the position, or Integer.MAX_VALUE for none
    int plan(Sequence sequence) {
        Node next = null;
        int from = sequence.base() == null ? 0 : sequence.base().node.depth;
        int least = Math.max(from + LEAST_TOKENS, sequence.length() + 1);
        for (Node node = sequence.node(); node != null && node.depth >= least; node = node.parent) {
            boolean free = node.builder == null || node.builder == sequence;
            if (node.waiting > 0 && node.prefix == null && free) {
                next = node;
            }
        }
        stop(sequence, next);
        return next == null ? Integer.MAX_VALUE : next.depth;
    }

    private void stop(Sequence sequence, @Nullable Node next) {
        Node before = sequence.stop();
        sequence.stop(next);
        if (next != null) {
            next.builder = sequence;
        }
        if (before != null && before != next) {
            before.builder = null;
            prune(before);
        }
    }

    /// Whether a row has come to where it is to pause.
    boolean isDue(Sequence sequence) {
        return sequence.stop() != null && sequence.stop().depth == sequence.length();
    }

    /// Keeps a row's cache as the prefix that is due; the row uses it, and is to go on with a fork.
    Prefix keep(Sequence sequence) {
        Node node = Objects.requireNonNull(sequence.stop(), "nothing is due");
        // the row's use of its base becomes the prefix's
        Prefix prefix = new Prefix(sequence.cache(), node, sequence.base());
        node.prefix = prefix;
        prefix.uses = 1;
        bytes += prefix.cache.bytes();
        stop(sequence, null);
        return prefix;
    }

    /// Protects a prefix, if there is one, from eviction. Returns it.
    @Nullable
    Prefix use(@Nullable Prefix prefix) {
        if (prefix != null) {
            prefix.uses++;
            unused.remove(prefix);
        }
        return prefix;
    }

    /// The end of a {@link #use}.
    void release(@Nullable Prefix prefix) {
        if (prefix != null) {
            prefix.uses--;
            if (prefix.uses == 0) {
                unused.add(prefix);
            }
        }
    }

    /// Drops the least recently used prefix that nothing depends on. Returns false if there is none.
    boolean evict() {
        if (unused.isEmpty()) {
            return false;
        }
        Prefix prefix = unused.removeFirst();
        prefix.node.prefix = null;
        bytes -= prefix.cache.bytes();
        release(prefix.base);
        prune(prefix.node);
        return true;
    }

    /// Removes places that nothing holds any more, and joins the runs on both sides of one.
    private void prune(Node node) {
        Node parent = node.parent;
        if (parent == null || node.ends > 0 || node.prefix != null || node.builder != null) {
            return;
        }
        int first = node.tokens[parent.depth];
        if (node.children.isEmpty()) {
            parent.children.remove(first);
            prune(parent);
        } else if (node.children.size() == 1) {
            Node child = node.children.values().iterator().next();
            parent.children.put(first, child);
            child.parent = parent;
        }
    }
}
