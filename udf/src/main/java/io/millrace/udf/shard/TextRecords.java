package io.millrace.udf.shard;

import io.millrace.udf.Utf8;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// Each line is a record of one column.
final class TextRecords implements Records {
    private final Lines lines;
    private @Nullable String text;
    private @Nullable Fault fault;

    TextRecords(Lines lines) {
        this.lines = lines;
    }

    @Override
    public boolean next() throws IOException {
        if (!lines.next()) {
            return false;
        }
        byte[] bytes = lines.line().copyBytes();
        text = Utf8.text(bytes);
        fault = text == null ? Fault.notUnicode("", bytes) : null;
        return true;
    }

    @Override
    public @Nullable String value(int column) {
        return text;
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
