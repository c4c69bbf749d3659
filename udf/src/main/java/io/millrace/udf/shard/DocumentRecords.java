package io.millrace.udf.shard;

import io.millrace.udf.Utf8;
import java.io.IOException;
import java.io.InputStream;
import org.apache.hadoop.conf.Configuration;
import org.jspecify.annotations.Nullable;

/// A file that is one record of one column.
final class DocumentRecords implements Records {
    private final InputFile file;
    private final Configuration conf;
    private boolean read;
    private @Nullable String text;
    private @Nullable Fault fault;

    DocumentRecords(InputFile file, Configuration conf) {
        this.file = file;
        this.conf = conf;
    }

    @Override
    public boolean next() throws IOException {
        if (read) {
            return false;
        }
        read = true;
        try (InputStream in = InputStreams.open(file, conf)) {
            byte[] bytes = in.readAllBytes();
            text = Utf8.text(bytes);
            fault = text == null ? Fault.notUnicode("", bytes) : null;
        }
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
    public void close() {}
}
