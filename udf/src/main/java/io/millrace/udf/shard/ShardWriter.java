package io.millrace.udf.shard;

import java.io.IOException;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.api.WriteSupport;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.spark.sql.Row;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Writes the rows of one shard to a file of their own, and commits it: the file is then there under the
/// shard's name, whole, with its summary in the footer. Until then nothing of it is there. Confined to one
/// thread.
public final class ShardWriter implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ShardWriter.class);

    private final WholeFiles files;
    private final Shard shard;
    private final Path written;
    private final Path target;
    private final RowTally tally = new RowTally();
    private final ParquetWriter<Row> writer;
    private boolean committed;

    private ShardWriter(
            WholeFiles files, Shard shard, Path written, Path target, String fingerprint, Configuration conf)
            throws IOException {
        this.files = files;
        this.shard = shard;
        this.written = written;
        this.target = target;
        writer = new Builder(files, written, () -> footer(fingerprint))
                .withConf(conf)
                .withCompressionCodec(CompressionCodecName.ZSTD)
                .build();
    }

    /// @throws ShardException if the file cannot be created
    public static ShardWriter open(Shard shard, OutputDir output, String fingerprint, Configuration conf) {
        Path target = output.file(shard.outputName(fingerprint));
        try {
            WholeFiles files = WholeFiles.on(target, conf);
            Path written = WholeFiles.unfinished(output.staging(), target.getName());
            return new ShardWriter(files, shard, written, target, fingerprint, conf);
        } catch (IOException e) {
            throw failure(target, e);
        }
    }

    private Map<String, String> footer(String fingerprint) {
        return Map.of(
                CompletionFormat.SHARD, shard.toJson(),
                CompletionFormat.FINGERPRINT, fingerprint,
                CompletionFormat.SUMMARY, tally.summary().toJson());
    }

    /// @throws ShardException if the row cannot be written
    public void write(Row row) {
        tally.add(row);
        try {
            writer.write(row);
        } catch (IOException e) {
            throw failure(target, e);
        }
    }

    /// Puts the file in its place. A file that another attempt has put there is replaced: it
    /// holds the same rows.
    ///
    /// @throws ShardException if the file cannot be completed
    public RowSummary commit() {
        try {
            writer.close();
            files.putInPlace(written, target);
            committed = true;
            return tally.summary();
        } catch (IOException e) {
            throw failure(target, e);
        }
    }

    private static ShardException failure(Path target, IOException e) {
        return new ShardException("output " + target + ": expected to be writable, got " + e.getMessage(), e);
    }

    /// Leaves nothing behind unless the shard was committed.
    @Override
    public void close() {
        if (committed) {
            return;
        }
        try {
            writer.close();
        } catch (IOException | RuntimeException e) {
            log.debug("{}: abandoned half written", target, e);
        }
        files.discard(written);
    }

    private static final class Builder extends ParquetWriter.Builder<Row, Builder> {
        private final RowWriteSupport support;

        Builder(WholeFiles files, Path path, Supplier<Map<String, String>> footer) {
            super(new DurableOutput(files.fileSystem(), path));
            support = new RowWriteSupport("completion", CompletionFormat.columns(), footer);
        }

        @Override
        protected Builder self() {
            return this;
        }

        /// Parquet's newer form of it calls this one, which cannot be left out.
        @Override
        @SuppressWarnings("deprecation")
        protected WriteSupport<Row> getWriteSupport(Configuration conf) {
            return support;
        }
    }
}
