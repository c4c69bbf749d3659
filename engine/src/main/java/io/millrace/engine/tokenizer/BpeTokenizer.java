package io.millrace.engine.tokenizer;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.tokenizer.AddedTokens.AddedToken;
import io.millrace.engine.tokenizer.TokenizerFile.Merge;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// A byte-level byte-pair encoding read from a Hugging Face `tokenizer.json`, or from the same as GGUF
/// metadata has it; gives the ids that Hugging Face's own library gives.
///
/// Written here rather than bound to a native library for two reasons: the published ones need glibc 2.34,
/// which the aarch64 hosts with Ascend cards often lack, and a fault in native code takes the whole executor
/// with it.
///
/// A text goes through four steps: added tokens are cut out (only in [#encodeWithControlTokens]), the rest
/// is normalised, split into pieces, and each piece's UTF-8 bytes are merged. Bounds: splitting and merging
/// take O(n log n) for any text; a piece of n bytes needs up to about 36 n bytes of memory while it is
/// merged, and one longer than [#MAX_MERGED_CHARS], which no language has, is merged in parts. Unicode
/// properties are those of the running Java; characters younger than the library's tables may be split
/// differently there.
///
/// An unpaired surrogate, which has no UTF-8, is encoded as U+FFFD.
///
/// What is not done: the tokens a post-processor would add are not added (a BOS is the prompt writer's
/// business), and text is never truncated.
public final class BpeTokenizer implements Tokenizer {
    private static final byte[] NO_BYTES = {};
    /// Longest piece that is merged as a whole, in chars.
    static final int MAX_MERGED_CHARS = 1 << 18;

    private final String name;
    private final TextNormalizer normalizer;
    private final PreTokenizer preTokenizer;
    private final AddedTokens addedTokens;
    private final Map<String, Integer> controlIds;
    private final BitSet controls;
    // [vocabSize], empty where no piece has the id
    private final byte[][] pieces;
    // byte → id of its piece, -1 for bytes that UTF-8 never has
    private final int[] byteIds;
    private final BytePairMerger merger;
    // text of a piece → its id; empty unless the model ignores merges
    private final Map<String, Integer> wholePieces;
    private final PieceCache cache = new PieceCache();

    private BpeTokenizer(TokenizerFile file) {
        name = file.name();
        normalizer = file.normalizer();
        preTokenizer = file.preTokenizer();
        addedTokens = new AddedTokens(file.addedTokens(), file.normalizer());
        controlIds = HashMap.newHashMap(file.addedTokens().size());
        controls = new BitSet();
        for (AddedToken token : file.addedTokens()) {
            controlIds.put(token.content(), token.id());
            controls.set(token.id());
        }
        pieces = pieces(file, controls);
        byteIds = byteIds(file, controls);
        merger = new BytePairMerger(mergeTable(file, controls));
        wholePieces = file.ignoreMerges() ? wholePieces(pieces, controls) : Map.of();
    }

    /// Reads a `tokenizer.json`.
    ///
    /// @throws EngineException `MODEL_UNREADABLE` if the file cannot be read; `MODEL_MISMATCH`, with file,
    ///     place and reason, if it is damaged or asks for something that is not understood here
    public static BpeTokenizer read(Path tokenizerJson) {
        return new BpeTokenizer(TokenizerFile.read(tokenizerJson));
    }

    /// Builds the tokenizer of a GGUF file.
    ///
    /// @throws EngineException `MODEL_MISMATCH`, with file, key and reason, if the vocabulary is damaged or
    ///     its kind is not understood here
    public static BpeTokenizer of(GgufVocabulary vocabulary) {
        return new BpeTokenizer(vocabulary.tokenizerFile());
    }

    static BpeTokenizer parse(String name, byte[] json) {
        return new BpeTokenizer(TokenizerFile.parse(name, json));
    }

    private static byte[][] pieces(TokenizerFile file, BitSet controls) {
        int highest = controls.length() - 1;
        for (int id : file.vocab().values()) {
            highest = Math.max(highest, id);
        }
        byte[][] pieces = new byte[highest + 1][];
        Arrays.fill(pieces, NO_BYTES);
        file.vocab().forEach((piece, id) -> pieces[id] = bytesOf(piece));
        for (AddedToken token : file.addedTokens()) {
            pieces[token.id()] = token.content().getBytes(StandardCharsets.UTF_8);
        }
        return pieces;
    }

    /// The bytes a piece of the vocabulary stands for; of one that is not in the byte alphabet, its own
    /// UTF-8.
    private static byte[] bytesOf(String piece) {
        byte[] bytes = new byte[piece.length()];
        for (int at = 0; at < bytes.length; at++) {
            int value = ByteAlphabet.byteOf(piece.charAt(at));
            if (value < 0) {
                return piece.getBytes(StandardCharsets.UTF_8);
            }
            bytes[at] = (byte) value;
        }
        return bytes;
    }

    private static int[] byteIds(TokenizerFile file, BitSet controls) {
        int[] ids = new int[256];
        for (int value = 0; value < 256; value++) {
            String piece = String.valueOf(ByteAlphabet.charOf(value));
            Integer id = file.vocab().get(piece);
            ids[value] = id == null ? -1 : id;
            if (id == null && ByteAlphabet.occursInUtf8(value)) {
                throw new EngineException(
                        ErrorCode.MODEL_MISMATCH,
                        file.name() + ": " + file.places().vocab() + ": expected a piece \"" + piece
                                + "\" for the byte " + value + ", got none");
            }
            refuseControl(file, controls, ids[value], file.places().vocab() + "[\"" + piece + "\"]: a single byte");
        }
        return ids;
    }

    private static MergeTable mergeTable(TokenizerFile file, BitSet controls) {
        MergeTable table = new MergeTable(file.merges().size());
        for (int rank = 0; rank < file.merges().size(); rank++) {
            Merge merge = file.merges().get(rank);
            refuseControl(file, controls, merge.merged(), file.places().merges() + "[" + rank + "]: the merge");
            table.put(merge.left(), merge.right(), rank, merge.merged());
        }
        return table;
    }

    /// Else ordinary text could become a control token.
    private static void refuseControl(TokenizerFile file, BitSet controls, int id, String what) {
        if (id >= 0 && controls.get(id)) {
            throw new EngineException(
                    ErrorCode.MODEL_MISMATCH,
                    file.name() + ": " + what + ": expected an id of its own, got " + id + " of an added token");
        }
    }

    private static Map<String, Integer> wholePieces(byte[][] pieces, BitSet controls) {
        Map<String, Integer> whole = HashMap.newHashMap(pieces.length);
        for (int id = 0; id < pieces.length; id++) {
            if (pieces[id].length > 0 && !controls.get(id)) {
                int piece = id;
                textOf(pieces[id]).ifPresent(text -> whole.put(text, piece));
            }
        }
        return whole;
    }

    /// Nothing if the bytes are not whole characters: then no text is this piece as a whole.
    private static Optional<String> textOf(byte[] piece) {
        try {
            return Optional.of(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(piece))
                    .toString());
        } catch (CharacterCodingException e) {
            return Optional.empty();
        }
    }

    @Override
    public int vocabSize() {
        return pieces.length;
    }

    @Override
    public int[] encodeText(CharSequence text) {
        String valid = SurrogateRepair.repaired(text.toString());
        IdBuffer ids = new IdBuffer(valid.length() / 3);
        encodeNormalized(normalizer.normalize(valid), ids);
        return ids.toArray();
    }

    @Override
    public int[] encodeWithControlTokens(String text) {
        String valid = SurrogateRepair.repaired(text);
        IdBuffer ids = new IdBuffer(valid.length() / 3);
        addedTokens.split(valid, new AddedTokens.Receiver() {
            @Override
            public void text(String between) {
                encodeNormalized(between, ids);
            }

            @Override
            public void token(AddedToken token) {
                ids.add(token.id());
            }
        });
        return ids.toArray();
    }

    private void encodeNormalized(String text, IdBuffer ids) {
        if (text.isEmpty()) {
            return;
        }
        try {
            preTokenizer
                    .into((source, start, end) -> encodePieces(source, start, end, ids))
                    .piece(text, 0, text.length());
        } catch (StackOverflowError e) {
            // no known pattern does; a repeated group in an unknown one may
            throw new EngineException(
                    ErrorCode.INVALID_REQUEST,
                    name + ": a split pattern ran out of stack on a text of " + text.length() + " chars",
                    e);
        }
    }

    private void encodePieces(String text, int start, int end, IdBuffer ids) {
        int from = start;
        while (end - from > MAX_MERGED_CHARS) {
            int to = from + MAX_MERGED_CHARS;
            to -= Character.isLowSurrogate(text.charAt(to)) ? 1 : 0;
            ids.addAll(encodePiece(text, from, to));
            from = to;
        }
        ids.addAll(encodePiece(text, from, end));
    }

    private int[] encodePiece(String text, int start, int end) {
        if (end - start > PieceCache.MAX_PIECE_CHARS) {
            return mergePiece(text.substring(start, end));
        }
        int[] known = cache.find(text, start, end);
        if (known != null) {
            return known;
        }
        int[] ids = mergePiece(text.substring(start, end));
        cache.put(text, start, end, ids);
        return ids;
    }

    private int[] mergePiece(String piece) {
        Integer whole = wholePieces.get(piece);
        if (whole != null) {
            return new int[] {whole};
        }
        byte[] bytes = piece.getBytes(StandardCharsets.UTF_8);
        int[] symbols = new int[bytes.length];
        for (int at = 0; at < bytes.length; at++) {
            symbols[at] = byteIds[bytes[at] & 0xFF];
        }
        return merger.merge(symbols);
    }

    @Override
    public String decode(int[] ids) {
        int size = 0;
        for (int id : ids) {
            size = Math.addExact(size, piece(id).length);
        }
        byte[] bytes = new byte[size];
        int end = 0;
        for (int id : ids) {
            byte[] piece = piece(id);
            System.arraycopy(piece, 0, bytes, end, piece.length);
            end += piece.length;
        }
        StringBuilder text = new StringBuilder(size);
        // what is left is the beginning of one character
        return LossyUtf8.decode(bytes, size, text) == size
                ? text.toString()
                : text.append('\uFFFD').toString();
    }

    @Override
    public byte[] bytes(int id) {
        return piece(id).clone();
    }

    private byte[] piece(int id) {
        if (id < 0) {
            throw new IllegalArgumentException("token id: expected 0 or more, got " + id);
        }
        return id < pieces.length ? pieces[id] : NO_BYTES;
    }

    @Override
    public boolean isControl(int id) {
        return id >= 0 && controls.get(id);
    }

    @Override
    public OptionalInt controlId(String text) {
        Integer id = controlIds.get(text);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }
}
