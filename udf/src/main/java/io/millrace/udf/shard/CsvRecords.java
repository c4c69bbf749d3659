package io.millrace.udf.shard;

import com.univocity.parsers.common.TextParsingException;
import com.univocity.parsers.csv.CsvParser;
import com.univocity.parsers.csv.CsvParserSettings;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.jspecify.annotations.Nullable;

/// Comma-separated records below a header, quoted as RFC 4180 has it. A field that is empty and not quoted is
/// null, and so is one that the record is too short for.
final class CsvRecords implements Records {
    /// Spark's bound.
    private static final int MAX_COLUMNS = 20_480;

    private final Source source;
    private final int[] fields;
    private @Nullable String[] record = {};

    private CsvRecords(Source source, List<String> names, List<String> columns) {
        this.source = source;
        fields = columns.stream().mapToInt(names::indexOf).toArray();
    }

    /// Records of a stretch of lines, one per line.
    static CsvRecords ofLines(Shard shard, List<String> columns, Configuration conf) throws IOException {
        List<String> names = shard.start() == 0 ? null : names(RecordFormat.CSV_LINES, shard.file(), conf);
        Source source = new LineSource(Lines.of(shard, conf));
        return new CsvRecords(source, names == null ? header(source) : names, columns);
    }

    /// Records of a whole file; a quoted field may span lines.
    static CsvRecords ofFile(InputFile file, List<String> columns, Configuration conf) throws IOException {
        Source source = FileSource.open(file, conf);
        return new CsvRecords(source, header(source), columns);
    }

    /// The names in a file's header; none if the file is empty.
    static List<String> names(RecordFormat format, InputFile file, Configuration conf) throws IOException {
        try (Source source = format == RecordFormat.CSV
                ? FileSource.open(file, conf)
                : new LineSource(Lines.of(file, 0, file.bytes(), conf))) {
            return header(source);
        }
    }

    private static List<String> header(Source source) throws IOException {
        String[] names = source.next();
        return names == null ? List.of() : Arrays.asList(names);
    }

    @Override
    public boolean next() throws IOException {
        String[] next = source.next();
        if (next == null) {
            return false;
        }
        record = next;
        return true;
    }

    @Override
    public @Nullable String malformed() {
        return source.malformed();
    }

    @Override
    public @Nullable String value(int column) {
        int field = fields[column];
        return field < 0 || field >= record.length ? null : record[field];
    }

    @Override
    public void close() throws IOException {
        source.close();
    }

    /// Where parsed records come from.
    private interface Source extends Closeable {
        /// The next record's fields, none if it cannot be read; null at the end.
        String @Nullable [] next() throws IOException;

        /// The last record if it could not be read.
        default @Nullable String malformed() {
            return null;
        }
    }

    private static final class LineSource implements Source {
        private final CsvParser parser = new CsvParser(settings());
        private final Lines lines;
        private @Nullable String malformed;

        LineSource(Lines lines) {
            this.lines = lines;
        }

        @Override
        public String @Nullable [] next() throws IOException {
            do {
                if (!lines.next()) {
                    return null;
                }
            } while (lines.isBlank());
            String line = lines.line().toString();
            malformed = null;
            try {
                return parser.parseLine(line);
            } catch (TextParsingException e) {
                // more columns than there may be
                malformed = line;
                return new String[0];
            }
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

    private record FileSource(CsvParser parser) implements Source {
        static FileSource open(InputFile file, Configuration conf) throws IOException {
            CsvParser parser = new CsvParser(settings());
            parser.beginParsing(new InputStreamReader(InputStreams.open(file, conf), StandardCharsets.UTF_8));
            return new FileSource(parser);
        }

        @Override
        public String @Nullable [] next() {
            return parser.parseNext();
        }

        @Override
        public void close() {
            parser.stopParsing();
        }
    }

    private static CsvParserSettings settings() {
        CsvParserSettings settings = new CsvParserSettings();
        settings.setEmptyValue("");
        settings.setIgnoreLeadingWhitespaces(false);
        settings.setIgnoreTrailingWhitespaces(false);
        settings.setMaxCharsPerColumn(-1);
        settings.setMaxColumns(MAX_COLUMNS);
        settings.setCommentProcessingEnabled(false);
        settings.setLineSeparatorDetectionEnabled(true);
        settings.setNormalizeLineEndingsWithinQuotes(false);
        settings.setReadInputOnSeparateThread(false);
        return settings;
    }
}
