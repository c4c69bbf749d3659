package io.millrace.engine.tokenizer;

import java.util.Arrays;

/// Turns ids into text one at a time, holding back the bytes of a character that is not complete yet. The
/// texts of all [#accept] calls and of [#finish], joined, are [Tokenizer#decode] of all ids. Confined to one
/// thread.
public final class TokenTextDecoder {
    private static final byte[] NOTHING = {};

    private final Tokenizer tokenizer;
    // the start of an unfinished character: at most 3 bytes
    private byte[] pending = NOTHING;

    public TokenTextDecoder(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /// The text that became complete with this id; often empty inside a character of several tokens.
    ///
    /// @throws IllegalArgumentException if the id is negative
    public String accept(int id) {
        byte[] piece = tokenizer.bytes(id);
        byte[] bytes = piece;
        if (pending.length > 0) {
            bytes = Arrays.copyOf(pending, pending.length + piece.length);
            System.arraycopy(piece, 0, bytes, pending.length, piece.length);
        }
        StringBuilder text = new StringBuilder(bytes.length);
        int consumed = LossyUtf8.decode(bytes, bytes.length, text);
        pending = consumed == bytes.length ? NOTHING : Arrays.copyOfRange(bytes, consumed, bytes.length);
        return text.toString();
    }

    /// What is left at the end: U+FFFD for an unfinished character, else nothing. The decoder can then be
    /// used again.
    public String finish() {
        String rest = pending.length == 0 ? "" : "\uFFFD";
        pending = NOTHING;
        return rest;
    }
}
