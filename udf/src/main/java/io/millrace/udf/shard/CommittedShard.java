package io.millrace.udf.shard;

import java.io.IOException;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.jspecify.annotations.Nullable;

/// What the footer of a committed shard says.
///
/// @param fingerprint of the run
public record CommittedShard(Shard shard, String fingerprint, RowSummary summary) {

    /// @throws ShardException if there is no such file, or it is not a whole one of ours
    public static CommittedShard read(Path file, Configuration conf) {
        try (ParquetFileReader reader = ParquetFileReader.open(HadoopInputFile.fromPath(file, conf))) {
            Map<String, String> footer = reader.getFileMetaData().getKeyValueMetaData();
            return new CommittedShard(
                    Shard.ofJson(value(CompletionFormat.SHARD, footer)),
                    value(CompletionFormat.FINGERPRINT, footer),
                    RowSummary.ofJson(value(CompletionFormat.SUMMARY, footer)));
        } catch (IOException | RuntimeException e) {
            throw new ShardException("output " + file + ": expected a committed shard, got " + e.getMessage(), e);
        }
    }

    private static String value(String key, Map<String, String> footer) {
        @Nullable String value = footer.get(key);
        if (value == null) {
            throw new IllegalArgumentException("a footer without " + key);
        }
        return value;
    }
}
