package io.millrace.udf.shard;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.api.WriteSupport;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;

/// A Parquet file of rows of any shape, which is there whole or not at all.
public final class RowsFile {

    private RowsFile() {}

    /// Writes all rows, over whatever has the name.
    ///
    /// @param columns of the types that {@link CompletionFormat} knows
    /// @param output whose staging directory takes the file until it is whole
    /// @throws ShardException if it cannot be written
    public static void write(Path target, StructType columns, List<Row> rows, OutputDir output, Configuration conf) {
        try {
            WholeFiles files = WholeFiles.on(target, conf);
            Path written = WholeFiles.unfinished(output.staging(), target.getName());
            try {
                writeTo(new DurableOutput(files.fileSystem(), written), columns, rows, conf);
                files.putInPlace(written, target);
            } catch (IOException | RuntimeException e) {
                files.discard(written);
                throw e;
            }
        } catch (IOException e) {
            throw new ShardException("output " + target + ": expected to be writable, got " + e.getMessage(), e);
        }
    }

    private static void writeTo(DurableOutput file, StructType columns, List<Row> rows, Configuration conf)
            throws IOException {
        try (ParquetWriter<Row> writer = new Builder(file, columns)
                .withConf(conf)
                .withCompressionCodec(CompressionCodecName.ZSTD)
                .build()) {
            for (Row row : rows) {
                writer.write(row);
            }
        }
    }

    private static final class Builder extends ParquetWriter.Builder<Row, Builder> {
        private final StructType columns;

        Builder(DurableOutput file, StructType columns) {
            super(file);
            this.columns = columns;
        }

        @Override
        protected Builder self() {
            return this;
        }

        /// Parquet's newer form of it calls this one, which cannot be left out.
        @Override
        @SuppressWarnings("deprecation")
        protected WriteSupport<Row> getWriteSupport(Configuration conf) {
            return new RowWriteSupport("rows", columns, Map::of);
        }
    }
}
