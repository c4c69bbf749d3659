package io.millrace.udf.shard;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.conf.Configuration;

/// A file that is one record of one column.
final class DocumentRecords implements Records {
    private final InputFile file;
    private final Configuration conf;
    private boolean read;
    private String text = "";

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
            text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        return true;
    }

    @Override
    public String value(int column) {
        return text;
    }

    @Override
    public void close() {}
}
