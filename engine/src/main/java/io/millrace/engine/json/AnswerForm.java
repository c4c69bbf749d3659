package io.millrace.engine.json;

import io.millrace.engine.tokenizer.Tokenizer;
import java.util.BitSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/// How far an answer of a form has come, and which tokens may go on with it. While the model reasons,
/// everything may but the end of the sequence; then, what the schema has; at the end of the value, the
/// end of the sequence. Confined to the batch's thread.
public final class AnswerForm {
    private final JsonAutomaton automaton;
    private final Tokenizer tokenizer;
    private final List<Integer> endTokens;
    private final OptionalInt endOfReasoning;
    private boolean reasons;
    private Set<Frame> frames;

    AnswerForm(JsonAutomaton automaton, Tokenizer tokenizer, List<Integer> endTokens, OptionalInt endOfReasoning) {
        this.automaton = automaton;
        this.tokenizer = tokenizer;
        this.endTokens = endTokens;
        this.endOfReasoning = endOfReasoning;
        this.reasons = endOfReasoning.isPresent();
        this.frames = automaton.start();
    }

    /// Leaves of the logits those of the tokens that may stand here, and no chance to the others.
    ///
    /// @param logits of the whole vocabulary; not changed
    public float[] mask(float[] logits) {
        float[] masked = logits.clone();
        if (reasons) {
            endTokens.forEach(token -> masked[token] = Float.NEGATIVE_INFINITY);
            return masked;
        }
        BitSet tokens = automaton.tokens(frames);
        // a vocabulary that cannot spell what is asked for leaves nothing but the end
        boolean mayEnd = tokens.isEmpty() || JsonAutomaton.mayEnd(frames);
        for (int token = tokens.nextClearBit(0); token < masked.length; token = tokens.nextClearBit(token + 1)) {
            masked[token] = Float.NEGATIVE_INFINITY;
        }
        if (mayEnd) {
            endTokens.forEach(token -> masked[token] = logits[token]);
        }
        return masked;
    }

    /// Takes the token that was chosen.
    public void accept(int token) {
        if (reasons) {
            reasons = token != endOfReasoning.orElseThrow();
        } else if (!endTokens.contains(token)) {
            frames = automaton.next(frames, tokenizer.bytes(token));
        }
    }
}
