package io.millrace.engine.checkpoint;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// Reads the head of a GGUF file from front to back. Nothing is read or allocated before the file is known to
/// be long enough for it.
final class GgufCursor {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    // no text and no list of any model is nearly as long: more is damage, and no file cut short
    private static final int MAX_TEXT_BYTES = 64 << 20;
    private static final int MAX_COUNT = 1 << 24;

    private final String file;
    private final MemorySegment bytes;
    private long position;

    GgufCursor(String file, MemorySegment bytes) {
        this.file = file;
        this.bytes = bytes;
    }

    /// The kinds of values, by the format's numbers.
    private enum Kind {
        U8(1),
        I8(1),
        U16(2),
        I16(2),
        U32(4),
        I32(4),
        F32(4),
        BOOL(1),
        TEXT(8),
        ARRAY(12),
        U64(8),
        I64(8),
        F64(8);

        private final int leastBytes;

        Kind(int leastBytes) {
            this.leastBytes = leastBytes;
        }
    }

    /// The file's name, for messages.
    String file() {
        return file;
    }

    long position() {
        return position;
    }

    int u32(String what) {
        return bytes.get(INT, advance(Integer.BYTES, what));
    }

    long u64(String what) {
        return bytes.get(LONG, advance(Long.BYTES, what));
    }

    /// A count of things that take at least `leastBytes` each.
    int count(String what, int leastBytes) {
        return count(what, leastBytes, MAX_COUNT);
    }

    private int count(String what, int leastBytes, int bound) {
        long count = u64(what);
        long most = (bytes.byteSize() - position) / leastBytes;
        if (count < 0 || count > bound) {
            throw fault(what + ": expected at most " + bound + ", got " + Long.toUnsignedString(count) + " at offset "
                    + (position - Long.BYTES));
        }
        if (count > most) {
            throw new EngineException(
                    ErrorCode.MODEL_UNREADABLE,
                    file + ": " + what + ": expected at most " + most
                            + ", for which the rest of the file has room, got " + count + " at offset "
                            + (position - Long.BYTES) + ": truncated, or still being copied");
        }
        return (int) count;
    }

    String text(String what) {
        int length = count(what + ": length", 1, MAX_TEXT_BYTES);
        byte[] text = bytes.asSlice(advance(length, what), length).toArray(ValueLayout.JAVA_BYTE);
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(text))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new EngineException(
                    ErrorCode.MODEL_MISMATCH,
                    file + ": " + what + ": expected UTF-8, got other bytes at offset " + (position - length),
                    e);
        }
    }

    /// A type's number and a value of that type.
    Object value(String key) {
        Kind kind = kind(key);
        if (kind != Kind.ARRAY) {
            return scalar(kind, key);
        }
        Kind elements = kind(key);
        if (elements == Kind.ARRAY) {
            throw fault(key + ": expected an array of plain values, got an array of arrays");
        }
        int count = count(key + ": count", elements.leastBytes);
        List<Object> list = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            list.add(scalar(elements, key));
        }
        return list;
    }

    private Kind kind(String key) {
        int number = u32(key + ": type");
        Kind[] kinds = Kind.values();
        if (number < 0 || number >= kinds.length) {
            throw fault(key + ": expected a type from 0 to " + (kinds.length - 1) + ", got "
                    + Integer.toUnsignedString(number));
        }
        return kinds[number];
    }

    private Object scalar(Kind kind, String key) {
        if (kind == Kind.TEXT) {
            return text(key);
        }
        long at = advance(kind.leastBytes, key);
        return switch (kind) {
            case U8 -> (long) (bytes.get(ValueLayout.JAVA_BYTE, at) & 0xFF);
            case I8 -> (long) bytes.get(ValueLayout.JAVA_BYTE, at);
            case U16 -> (long) (bytes.get(SHORT, at) & 0xFFFF);
            case I16 -> (long) bytes.get(SHORT, at);
            case U32 -> Integer.toUnsignedLong(bytes.get(INT, at));
            case I32 -> (long) bytes.get(INT, at);
            case I64 -> bytes.get(LONG, at);
            case U64 -> unsigned(bytes.get(LONG, at));
            case F32 -> decimal(Float.intBitsToFloat(bytes.get(INT, at)));
            case F64 -> Double.longBitsToDouble(bytes.get(LONG, at));
            case BOOL -> bytes.get(ValueLayout.JAVA_BYTE, at) != 0;
            case TEXT, ARRAY -> throw new IllegalStateException(kind + " has no width of its own");
        };
    }

    private static Object unsigned(long value) {
        if (value >= 0) {
            return value;
        }
        return new BigInteger(Long.toUnsignedString(value));
    }

    /// The shortest decimal that rounds to the float: writers round the decimals of a config.json, and 1e-6
    /// shall mean here what it means there.
    private static double decimal(float value) {
        return Double.parseDouble(Float.toString(value));
    }

    private long advance(long length, String what) {
        long at = position;
        if (length > bytes.byteSize() - at) {
            throw new EngineException(
                    ErrorCode.MODEL_UNREADABLE,
                    file + ": " + what + ": expected " + length + " bytes at offset " + at + ", got "
                            + (bytes.byteSize() - at) + ": truncated, or still being copied");
        }
        position += length;
        return at;
    }

    EngineException fault(String message) {
        return new EngineException(ErrorCode.MODEL_MISMATCH, file + ": " + message);
    }
}
