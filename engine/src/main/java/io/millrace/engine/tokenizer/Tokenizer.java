package io.millrace.engine.tokenizer;

import java.util.OptionalInt;

/// A fixed mapping between text and token ids. Thread-safe; owns no resource that has to be closed.
///
/// Two ways into ids exist, and which one is called is a question of trust. [#encodeText] takes text that
/// somebody else wrote (a row of a corpus): a control token spelt in it becomes the ordinary pieces of its
/// letters. Only [#encodeWithControlTokens] turns such a spelling into the control id.
public interface Tokenizer {

    /// One more than the highest id. A model may have more embedding rows than that (padding); it never has
    /// fewer.
    int vocabSize();

    /// Ids of ordinary text; no control id is ever among them, whatever the text spells. An unpaired
    /// surrogate counts as U+FFFD. Nothing is put in front or behind.
    int[] encodeText(CharSequence text);

    /// Ids of a text in which control tokens are recognised first and the rest is ordinary, as Hugging Face
    /// encodes with `add_special_tokens=False`. For prompts of the program itself, and for raw prompts whose
    /// sender may write control tokens.
    int[] encodeWithControlTokens(String text);

    /// The text of the ids, control tokens included; malformed UTF-8 becomes U+FFFD. Ids without a piece
    /// yield nothing.
    ///
    /// @throws IllegalArgumentException if an id is negative
    String decode(int[] ids);

    /// The raw bytes of one piece (a fresh array); of a control token its text in UTF-8; empty for an id
    /// without a piece, which includes every id from [#vocabSize] up (the padding rows of an embedding can
    /// be sampled).
    ///
    /// @throws IllegalArgumentException if the id is negative
    byte[] bytes(int id);

    /// Whether the id is a token that ordinary text cannot produce.
    boolean isControl(int id);

    /// The id of the control token with exactly this text.
    OptionalInt controlId(String text);
}
