package io.millrace.udf.shard;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import io.millrace.udf.RawText;
import io.millrace.udf.RowFault;
import io.millrace.udf.Utf8;
import java.io.IOException;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Each line is a JSON object, of which the wanted fields are read: strings as they are, numbers and truth
/// values as they are written, objects and arrays as JSON, save where a text is wanted. Of a name given
/// twice the last value is taken. All of a line is read, so that one cut short is found.
final class JsonRecords implements Records {
    /// Names are not kept: those of unneeded fields may be without end. A line may be as long as it is;
    /// whatever else is out of bounds makes the record a malformed one.
    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(JsonReadFeature.ALLOW_SINGLE_QUOTES)
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength(Integer.MAX_VALUE)
                    .build())
            .build();

    private final Lines lines;
    private final List<String> columns;
    private final boolean isJson;
    private final @Nullable String[] values;
    private @Nullable Fault fault;

    JsonRecords(Lines lines, List<String> columns, Set<String> jsonColumns) {
        this.lines = lines;
        this.columns = columns;
        // what is counted needs no columns
        this.isJson = !columns.isEmpty() && jsonColumns.contains(columns.getFirst());
        values = new @Nullable String[columns.size()];
    }

    @Override
    public boolean next() throws IOException {
        do {
            if (!lines.next()) {
                return false;
            }
        } while (lines.isBlank());
        Arrays.fill(values, null);
        byte[] bytes = lines.line().copyBytes();
        String line = Utf8.text(bytes);
        fault = line == null ? Fault.notUnicode("", bytes) : parse(line);
        return true;
    }

    private @Nullable Fault parse(String line) throws IOException {
        try (JsonParser parser = JSON.createParser(line)) {
            try {
                return parse(parser, line);
            } catch (JsonProcessingException e) {
                return new Fault(
                        RowFault.MALFORMED_RECORD,
                        "expected a JSON object, got " + e.getOriginalMessage() + " at character "
                                + parser.currentLocation().getColumnNr(),
                        RawText.of(line));
            }
        }
    }

    private @Nullable Fault parse(JsonParser parser, String line) throws IOException {
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            boolean array = parser.currentToken() == JsonToken.START_ARRAY;
            parser.skipChildren();
            return new Fault(
                    RowFault.SCHEMA_MISMATCH,
                    "expected a JSON object, got " + (array ? "an array" : "a single value"),
                    RawText.of(line));
        }
        Fault found = null;
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            int column = columns.indexOf(parser.currentName());
            JsonToken value = parser.nextToken();
            if (column == 0 && value.isStructStart() && !isJson) {
                String reason = "column " + columns.getFirst() + ": expected a text, got "
                        + (value == JsonToken.START_ARRAY ? "an array" : "an object");
                found = new Fault(RowFault.SCHEMA_MISMATCH, reason, RawText.of(line));
            } else if (column >= 0) {
                String text = text(parser);
                int at = text == null ? -1 : unpairedSurrogate(text);
                values[column] = at < 0 ? text : null;
                found = text == null || at < 0 ? found : unpaired(columns.get(column), text, at, line);
            }
            parser.skipChildren();
        }
        if (parser.nextToken() != null) {
            return new Fault(
                    RowFault.MALFORMED_RECORD,
                    "expected one JSON object, got another value at character "
                            + parser.currentTokenLocation().getColumnNr(),
                    RawText.of(line));
        }
        return found;
    }

    private static @Nullable String text(JsonParser parser) throws IOException {
        return switch (parser.currentToken()) {
            case VALUE_NULL -> null;
            case START_OBJECT, START_ARRAY -> {
                StringWriter json = new StringWriter();
                try (JsonGenerator generator = JSON.createGenerator(json)) {
                    generator.copyCurrentStructure(parser);
                }
                yield json.toString();
            }
            default -> parser.getText();
        };
    }

    private static Fault unpaired(String column, String text, int at, String line) {
        return new Fault(
                RowFault.TEXT_NOT_UNICODE,
                "column " + column + ": expected Unicode text, got the unpaired surrogate U+"
                        + HexFormat.of().withUpperCase().toHexDigits(text.charAt(at)) + " at character " + at,
                RawText.of(line));
    }

    /// Where the first unpaired surrogate is, or -1.
    private static int unpairedSurrogate(String text) {
        for (int at = 0; at < text.length(); at++) {
            char c = text.charAt(at);
            if (Character.isHighSurrogate(c)
                    && at + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(at + 1))) {
                at++;
            } else if (Character.isSurrogate(c)) {
                return at;
            }
        }
        return -1;
    }

    @Override
    public @Nullable String value(int column) {
        return values[column];
    }

    @Override
    public @Nullable Fault fault() {
        return fault;
    }

    @Override
    public void close() throws IOException {
        lines.close();
    }
}
