package io.millrace.udf.shard;

import java.io.IOException;

/// Each line is a record of one column.
final class TextRecords implements Records {
    private final Lines lines;

    TextRecords(Lines lines) {
        this.lines = lines;
    }

    @Override
    public boolean next() throws IOException {
        return lines.next();
    }

    @Override
    public String value(int column) {
        return lines.line().toString();
    }

    @Override
    public void close() throws IOException {
        lines.close();
    }
}
