package io.millrace.udf.shard;

import java.io.IOException;
import java.io.InputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.CompressionCodecFactory;

/// Opens whole files, decompressed where their names say so.
final class InputStreams {

    private InputStreams() {}

    static InputStream open(InputFile file, Configuration conf) throws IOException {
        Path path = new Path(file.name());
        InputStream in = path.getFileSystem(conf).open(path);
        CompressionCodec codec = new CompressionCodecFactory(conf).getCodec(path);
        return codec == null ? in : codec.createInputStream(in);
    }
}
