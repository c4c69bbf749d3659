package io.millrace.udf.shard;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import java.io.IOException;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Each line is a JSON object, of which the wanted fields are read: strings as they are, numbers and truth
/// values as they are written, objects and arrays as JSON. A line that is no object is a malformed record.
final class JsonRecords implements Records {
    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(JsonReadFeature.ALLOW_SINGLE_QUOTES)
            // a line may be as long as it is; whatever else is out of bounds makes the record a malformed one
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength(Integer.MAX_VALUE)
                    .build())
            .build();

    private final Lines lines;
    private final List<String> columns;
    private final @Nullable String[] values;
    private @Nullable String malformed;

    JsonRecords(Lines lines, List<String> columns) {
        this.lines = lines;
        this.columns = columns;
        values = new @Nullable String[columns.size()];
    }

    @Override
    public boolean next() throws IOException {
        do {
            if (!lines.next()) {
                return false;
            }
        } while (lines.isBlank());
        String line = lines.line().toString();
        Arrays.fill(values, null);
        malformed = parse(line) ? null : line;
        return true;
    }

    private boolean parse(String line) throws IOException {
        try (JsonParser parser = JSON.createParser(line)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return false;
            }
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                int column = columns.indexOf(parser.currentName());
                parser.nextToken();
                if (column < 0) {
                    parser.skipChildren();
                } else {
                    values[column] = text(parser);
                }
            }
            return parser.nextToken() == null;
        } catch (JsonProcessingException e) {
            Arrays.fill(values, null);
            return false;
        }
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

    @Override
    public @Nullable String value(int column) {
        return values[column];
    }

    @Override
    public @Nullable String malformed() {
        return malformed;
    }

    @Override
    public void close() throws IOException {
        lines.close();
    }
}
