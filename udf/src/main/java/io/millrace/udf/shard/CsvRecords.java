package io.millrace.udf.shard;

import com.univocity.parsers.common.TextParsingException;
import com.univocity.parsers.csv.CsvParser;
import com.univocity.parsers.csv.CsvParserSettings;
import io.millrace.udf.RawText;
import io.millrace.udf.RowFault;
import io.millrace.udf.Utf8;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.jspecify.annotations.Nullable;

/// Comma-separated records below a header, quoted as RFC 4180 has it. A field that is empty and not quoted is
/// null. A record has as many fields as the header: of one with fewer or more nobody knows which are which.
final class CsvRecords implements Records {
    /// Spark's bound.
    private static final int MAX_COLUMNS = 20_480;
    /// Where records span lines, more fields end the job, since nobody knows where the next record begins.
    private static final int MAX_COLUMNS_OVER_LINES = 1 << 20;

    private final Source source;
    private final List<String> columns;
    private final int width;
    private final int[] fields;
    private final @Nullable String misfit;
    private @Nullable String[] record = {};
    private @Nullable Fault fault;

    private CsvRecords(Source source, List<String> names, List<String> columns) {
        this.source = source;
        this.columns = columns;
        width = names.size();
        fields = columns.stream().mapToInt(names::indexOf).toArray();
        misfit = RecordNames.misfit(columns, names);
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

    /// A field without a name, or of bytes that are no text, can be asked for by nobody.
    private static List<String> header(Source source) throws IOException {
        List<String> names = new ArrayList<>();
        if (source.next()) {
            for (int field = 0; field < source.size(); field++) {
                String name = source.field(field);
                names.add(name == null ? "" : name);
            }
        }
        return names;
    }

    @Override
    public boolean next() throws IOException {
        if (!source.next()) {
            return false;
        }
        record = new @Nullable String[columns.size()];
        fault = source.fault();
        if (fault == null && misfit != null) {
            fault = new Fault(RowFault.SCHEMA_MISMATCH, misfit, source.raw());
        } else if (fault == null && source.size() != width) {
            fault = new Fault(
                    RowFault.SCHEMA_MISMATCH, "expected " + width + " fields, got " + source.size(), source.raw());
        }
        if (fault == null) {
            for (int column = 0; column < fields.length; column++) {
                record[column] = source.field(fields[column]);
            }
            fault = source.fault();
        }
        return true;
    }

    @Override
    public @Nullable String value(int column) {
        return record[column];
    }

    @Override
    public @Nullable Fault fault() {
        return fault;
    }

    @Override
    public void close() throws IOException {
        source.close();
    }

    /// Where parsed records come from.
    private interface Source extends Closeable {
        /// Moves to the next record; false at the end.
        boolean next() throws IOException;

        /// How many fields the record has.
        int size();

        /// A field's text, null if it is empty and not quoted.
        @Nullable
        String field(int field);

        /// Why the record, or a field that was asked for, cannot be read; null if it can.
        @Nullable
        Fault fault();

        /// What is kept of the record.
        String raw();
    }

    private static final class LineSource implements Source {
        private final Lines lines;
        private CsvParser parser = new CsvParser(settings(MAX_COLUMNS));
        private String line = "";
        private @Nullable String[] record = {};
        private @Nullable Fault fault;

        LineSource(Lines lines) {
            this.lines = lines;
        }

        @Override
        public boolean next() throws IOException {
            do {
                if (!lines.next()) {
                    return false;
                }
            } while (lines.isBlank());
            byte[] bytes = lines.line().copyBytes();
            String text = Utf8.text(bytes);
            line = text == null ? "" : text;
            record = new @Nullable String[0];
            fault = text == null ? Fault.notUnicode("", bytes) : parse();
            return true;
        }

        private @Nullable Fault parse() {
            try {
                @Nullable String[] parsed = parser.parseLine(line);
                record = parsed == null ? record : parsed;
                return null;
            } catch (TextParsingException _) {
                // no room for another field is all it can be; the parser is not to be trusted after it
                parser = new CsvParser(settings(MAX_COLUMNS));
                return new Fault(
                        RowFault.SCHEMA_MISMATCH, "expected at most " + MAX_COLUMNS + " fields, got more", raw());
            }
        }

        @Override
        public int size() {
            return record.length;
        }

        @Override
        public @Nullable String field(int field) {
            return record[field];
        }

        @Override
        public @Nullable Fault fault() {
            return fault;
        }

        @Override
        public String raw() {
            return RawText.of(line);
        }

        @Override
        public void close() throws IOException {
            lines.close();
        }
    }

    /// Read as Latin-1, in which every byte is a character, so that the bytes of a field can be had back;
    /// delimiters and quotes are the same.
    private static final class FileSource implements Source {
        private static final String BYTE_ORDER_MARK = "\uFEFF";

        private final CsvParser parser;
        private boolean first = true;
        private @Nullable String[] record = {};
        private @Nullable Fault fault;

        private FileSource(CsvParser parser) {
            this.parser = parser;
        }

        static FileSource open(InputFile file, Configuration conf) throws IOException {
            CsvParser parser = new CsvParser(settings(MAX_COLUMNS_OVER_LINES));
            parser.beginParsing(new InputStreamReader(InputStreams.open(file, conf), StandardCharsets.ISO_8859_1));
            return new FileSource(parser);
        }

        @Override
        public boolean next() {
            @Nullable String @Nullable [] next = parser.parseNext();
            if (next == null) {
                return false;
            }
            first = fault == null && record.length == 0;
            record = next;
            fault = null;
            return true;
        }

        @Override
        public int size() {
            return record.length;
        }

        @Override
        public @Nullable String field(int field) {
            String latin1 = record[field];
            if (latin1 == null) {
                return null;
            }
            byte[] bytes = latin1.getBytes(StandardCharsets.ISO_8859_1);
            String text = Utf8.text(bytes);
            if (text == null) {
                fault = Fault.notUnicode("field " + (field + 1) + ": ", bytes);
                return null;
            }
            return first && field == 0 && text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text;
        }

        @Override
        public @Nullable Fault fault() {
            return fault;
        }

        @Override
        public String raw() {
            String content = parser.getContext().currentParsedContent();
            return content == null
                    ? Arrays.toString(record)
                    : RawText.ofBytes(content.strip().getBytes(StandardCharsets.ISO_8859_1));
        }

        @Override
        public void close() {
            parser.stopParsing();
        }
    }

    private static CsvParserSettings settings(int maxColumns) {
        CsvParserSettings settings = new CsvParserSettings();
        settings.setEmptyValue("");
        settings.setIgnoreLeadingWhitespaces(false);
        settings.setIgnoreTrailingWhitespaces(false);
        settings.setMaxCharsPerColumn(-1);
        settings.setMaxColumns(maxColumns);
        settings.setCommentProcessingEnabled(false);
        settings.setLineSeparatorDetectionEnabled(true);
        settings.setNormalizeLineEndingsWithinQuotes(false);
        settings.setReadInputOnSeparateThread(false);
        return settings;
    }
}
