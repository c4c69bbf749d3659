package io.millrace.engine.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Reads the JSON header of a safetensors file, strictly: whatever the format does not allow is an error
/// that names the file and, where there is one, the tensor.
final class SafetensorsHeader {
    private static final int MAX_DIMENSIONS = 8;

    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(4)
                    .maxNumberLength(20)
                    .maxNameLength(4096)
                    .build())
            .build();

    private final String file;
    private final List<Entry> entries = new ArrayList<>();

    private SafetensorsHeader(String file) {
        this.file = file;
    }

    /// One tensor's line.
    ///
    /// @param begin offset in the data part, in bytes
    /// @param end offset behind its last byte
    record Entry(String name, SafetensorsType type, List<Long> shape, long begin, long end) {}

    /// The tensors in the order of their data, which they cover without gap or overlap from offset 0 on.
    ///
    /// @param file the file's name, for messages
    static List<Entry> parse(String file, byte[] header) {
        SafetensorsHeader parsed = new SafetensorsHeader(file);
        try (JsonParser parser = JSON.createParser(header)) {
            parsed.readTensors(parser);
        } catch (IOException e) {
            throw new UncheckedIOException("bytes in memory can be read", e);
        }
        parsed.checkLayout();
        return parsed.entries;
    }

    private void readTensors(JsonParser parser) throws IOException {
        try {
            readTensorsUntilFault(parser);
        } catch (JsonProcessingException e) {
            throw fault("header is no valid JSON: " + complaint(e, parser), e);
        }
    }

    private void readTensorsUntilFault(JsonParser parser) throws IOException {
        expect(parser, parser.nextToken(), JsonToken.START_OBJECT, "header");
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            JsonToken value = parser.nextToken();
            expect(parser, value, JsonToken.START_OBJECT, name);
            if (name.equals("__metadata__")) {
                parser.skipChildren();
            } else {
                readTensor(parser, name);
            }
        }
        if (parser.nextToken() != null) {
            throw fault("header: expected nothing behind its object, got " + parser.currentToken(), null);
        }
    }

    private void readTensor(JsonParser parser, String name) throws IOException {
        String type = null;
        List<Long> shape = null;
        List<Long> offsets = null;
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String key = parser.currentName();
            JsonToken value = parser.nextToken();
            switch (key) {
                case "dtype" -> {
                    expect(parser, value, JsonToken.VALUE_STRING, name + ": dtype");
                    type = parser.getText();
                }
                case "shape" -> shape = readNumbers(parser, name + ": shape", MAX_DIMENSIONS);
                case "data_offsets" -> offsets = readNumbers(parser, name + ": data_offsets", 2);
                default -> throw fault(name + ": expected dtype, shape and data_offsets, got " + quote(key), null);
            }
        }
        if (type == null || shape == null || offsets == null || offsets.size() != 2) {
            throw fault(
                    name + ": expected dtype, shape and two data_offsets, got dtype " + type + ", shape " + shape
                            + ", data_offsets " + offsets,
                    null);
        }
        entries.add(entry(name, type, shape, offsets.get(0), offsets.get(1)));
    }

    private List<Long> readNumbers(JsonParser parser, String what, int limit) throws IOException {
        expect(parser, parser.currentToken(), JsonToken.START_ARRAY, what);
        List<Long> numbers = new ArrayList<>(2);
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            expect(parser, parser.currentToken(), JsonToken.VALUE_NUMBER_INT, what);
            if (parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER || parser.getLongValue() < 0) {
                throw fault(what + ": expected numbers from 0 to 2^63-1, got " + quote(parser.getText()), null);
            }
            if (numbers.size() == limit) {
                throw fault(what + ": expected at most " + limit + " numbers, got more", null);
            }
            numbers.add(parser.getLongValue());
        }
        return List.copyOf(numbers);
    }

    private Entry entry(String name, String typeName, List<Long> shape, long begin, long end) {
        SafetensorsType type = SafetensorsType.of(typeName);
        if (type == null) {
            throw fault(name + ": expected a dtype of the safetensors format, got " + quote(typeName), null);
        }
        long expected = byteSize(name, type, shape);
        if (begin > end || end - begin != expected) {
            throw fault(
                    name + ": expected " + expected + " bytes for " + type + " " + shape + ", got data_offsets ["
                            + begin + ", " + end + "]",
                    null);
        }
        return new Entry(name, type, shape, begin, end);
    }

    private long byteSize(String name, SafetensorsType type, List<Long> shape) {
        long bits = type.bits();
        try {
            for (long extent : shape) {
                bits = Math.multiplyExact(bits, extent);
            }
        } catch (ArithmeticException e) {
            throw fault(name + ": expected a shape of less than 2^63 bits, got " + type + " " + shape, e);
        }
        if (bits % Byte.SIZE != 0) {
            throw fault(name + ": expected whole bytes, got " + type + " " + shape, null);
        }
        return bits / Byte.SIZE;
    }

    private void checkLayout() {
        entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        long position = 0;
        for (Entry entry : entries) {
            if (entry.begin() != position) {
                String fault = entry.begin() < position ? "overlaps the tensor before it" : "leaves a gap before it";
                throw fault(
                        entry.name() + ": " + fault + ": expected data_offsets from " + position + ", got "
                                + entry.begin(),
                        null);
            }
            position = entry.end();
        }
    }

    private void expect(JsonParser parser, @Nullable JsonToken got, JsonToken expected, String what)
            throws IOException {
        if (got != expected) {
            String text = got == null ? "the end" : got + " " + quote(parser.getText());
            throw fault(what + ": expected " + expected + ", got " + text, null);
        }
    }

    private EngineException fault(String message, @Nullable Throwable cause) {
        return new EngineException(ErrorCode.MODEL_MISMATCH, file + ": " + message, cause);
    }

    /// A piece of a file's text that is fit for a message.
    static String quote(@Nullable String text) {
        String shown = text == null ? "" : text;
        return "\"" + (shown.length() > 80 ? shown.substring(0, 80) + "..." : shown) + "\"";
    }

    /// A parser's complaint and its place; the rest of its message repeats the source.
    static String complaint(JsonProcessingException e, JsonParser parser) {
        // what breaks a bound has no place of its own
        JsonLocation at = e.getLocation() == null ? parser.currentLocation() : e.getLocation();
        return String.valueOf(e.getOriginalMessage()).lines().findFirst().orElse("") + " at line " + at.getLineNr()
                + ", column " + at.getColumnNr();
    }
}
