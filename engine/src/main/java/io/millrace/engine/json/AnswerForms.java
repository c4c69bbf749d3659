package io.millrace.engine.json;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.OutputForm;
import io.millrace.engine.tokenizer.Tokenizer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The forms that requests ask for, each made once: rows of a job mostly ask for one. Thread-safe; what
/// it hands out is for the batch's thread.
public final class AnswerForms {
    private static final String END_OF_REASONING = "</think>";
    private static final int MOST_KEPT = 16;

    private final Tokenizer tokenizer;
    private final List<Integer> endTokens;
    private final ReentrantLock lock = new ReentrantLock();
    // guarded by lock
    private final Map<String, JsonAutomaton> kept = new LinkedHashMap<>();
    private @Nullable TokenTrie trie;

    /// @param endTokens end-of-sequence tokens of the model
    public AnswerForms(Tokenizer tokenizer, List<Integer> endTokens) {
        this.tokenizer = tokenizer;
        this.endTokens = List.copyOf(endTokens);
    }

    /// A new answer of a form.
    ///
    /// @throws EngineException INVALID_REQUEST if the schema has what cannot be kept to, or the model
    ///     has no token that ends an answer or its reasoning
    public AnswerForm begin(OutputForm form) {
        if (endTokens.isEmpty()) {
            throw new EngineException(
                    ErrorCode.INVALID_REQUEST, "schema: expected a model with an end-of-sequence token, got none");
        }
        OptionalInt endOfReasoning =
                form.afterReasoning() ? tokenizer.controlId(END_OF_REASONING) : OptionalInt.empty();
        if (form.afterReasoning() && endOfReasoning.isEmpty()) {
            throw new EngineException(
                    ErrorCode.INVALID_REQUEST,
                    "schema: expected a model that reasons up to " + END_OF_REASONING + ", got none with that token");
        }
        return new AnswerForm(automaton(form.jsonSchema()), tokenizer, endTokens, endOfReasoning);
    }

    private JsonAutomaton automaton(String schema) {
        lock.lock();
        try {
            if (trie == null) {
                trie = TokenTrie.of(tokenizer);
            }
            JsonAutomaton known = kept.remove(schema);
            JsonAutomaton automaton = known == null ? new JsonAutomaton(SchemaReader.read(schema), trie) : known;
            kept.put(schema, automaton);
            if (kept.size() > MOST_KEPT) {
                kept.remove(kept.keySet().iterator().next());
            }
            return automaton;
        } finally {
            lock.unlock();
        }
    }
}
