package io.millrace.udf.shard;

import java.io.Closeable;
import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.Text;
import org.apache.hadoop.mapreduce.TaskAttemptID;
import org.apache.hadoop.mapreduce.lib.input.FileSplit;
import org.apache.hadoop.mapreduce.lib.input.LineRecordReader;
import org.apache.hadoop.mapreduce.task.TaskAttemptContextImpl;

/// The lines of one stretch of a file, decompressed where its name says so. A line ends with LF, CR LF or CR;
/// a byte order mark at the start of the file is left out.
final class Lines implements Closeable {
    private final LineRecordReader reader;

    private Lines(LineRecordReader reader) {
        this.reader = reader;
    }

    /// The lines of the shard's block.
    static Lines of(Shard shard, Configuration conf) throws IOException {
        return of(shard.file(), shard.start(), shard.bytes(), conf);
    }

    static Lines of(InputFile file, long start, long bytes, Configuration conf) throws IOException {
        LineRecordReader reader = new LineRecordReader();
        try {
            reader.initialize(
                    new FileSplit(new Path(file.name()), start, bytes, new String[0]),
                    new TaskAttemptContextImpl(conf, new TaskAttemptID()));
            return new Lines(reader);
        } catch (IOException e) {
            reader.close();
            throw e;
        }
    }

    boolean next() throws IOException {
        return reader.nextKeyValue();
    }

    /// The line, valid until the next one.
    Text line() {
        return reader.getCurrentValue();
    }

    /// Whether the line holds nothing but space.
    boolean isBlank() {
        Text line = line();
        byte[] bytes = line.getBytes();
        for (int at = 0; at < line.getLength(); at++) {
            if (bytes[at] != ' ' && bytes[at] != '\t' && bytes[at] != '\r') {
                return false;
            }
        }
        return true;
    }

    @Override
    public void close() throws IOException {
        reader.close();
    }
}
