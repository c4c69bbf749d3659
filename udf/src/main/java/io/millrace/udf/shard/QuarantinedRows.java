package io.millrace.udf.shard;

import io.millrace.schemas.AuditExchange.Quarantine;
import io.millrace.schemas.Columns.Completion;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.filter2.compat.FilterCompat;
import org.apache.parquet.filter2.predicate.FilterApi;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.api.InitContext;
import org.apache.parquet.hadoop.example.GroupReadSupport;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.MessageType;
import org.jspecify.annotations.Nullable;

/// The rows that the gate has set aside, as far as their retry needs to know. Confined to one thread.
public final class QuarantinedRows implements Iterator<QuarantinedRows.Found>, AutoCloseable {
    private static final List<String> COLUMNS = List.of(
            Completion.InputRef.COLUMN,
            Completion.SAMPLE_IDX,
            Completion.STATUS,
            Completion.Retry.COLUMN,
            Quarantine.RULES,
            Quarantine.OUTPUT_FILE);

    /// A row that was set aside.
    ///
    /// @param outputFile name of the file that holds the row
    /// @param row in its block
    /// @param isOk whether the row has an answer
    /// @param attempts how often it had been retried when it was judged
    /// @param rules names of the rules that it breaks
    public record Found(String outputFile, long row, int sampleIdx, boolean isOk, int attempts, List<String> rules) {}

    private final Path dir;
    private final @Nullable ParquetReader<Group> reader;
    private @Nullable Group next;

    private QuarantinedRows(Path dir, @Nullable ParquetReader<Group> reader) {
        this.dir = dir;
        this.reader = reader;
    }

    /// All of them; none if there is no such directory.
    ///
    /// @throws ShardException if it cannot be read
    public static QuarantinedRows of(Path dir, Configuration conf) {
        return open(dir, FilterCompat.NOOP, conf);
    }

    /// Those of one file of the output.
    ///
    /// @throws ShardException if they cannot be read
    static QuarantinedRows of(Path dir, String outputFile, Configuration conf) {
        var ofFile = FilterApi.eq(FilterApi.binaryColumn(Quarantine.OUTPUT_FILE), Binary.fromString(outputFile));
        return open(dir, FilterCompat.get(ofFile), conf);
    }

    private static QuarantinedRows open(Path dir, FilterCompat.Filter filter, Configuration conf) {
        try {
            if (!dir.getFileSystem(conf).exists(dir)) {
                return new QuarantinedRows(dir, null);
            }
            ParquetReader<Group> reader = ParquetReader.builder(new Places(), dir)
                    .withConf(conf)
                    .withFilter(filter)
                    .build();
            QuarantinedRows rows = new QuarantinedRows(dir, reader);
            rows.next = reader.read();
            return rows;
        } catch (IOException | RuntimeException e) {
            throw failure(dir, e);
        }
    }

    @Override
    public boolean hasNext() {
        return next != null;
    }

    @Override
    public Found next() {
        Group group = next;
        if (group == null || reader == null) {
            throw new NoSuchElementException("no more rows in " + dir);
        }
        try {
            next = reader.read();
            return found(group);
        } catch (IOException | RuntimeException e) {
            throw failure(dir, e);
        }
    }

    private static Found found(Group group) {
        boolean retried = group.getFieldRepetitionCount(Completion.Retry.COLUMN) > 0;
        Group list = group.getGroup(Quarantine.RULES, 0);
        List<String> rules = new ArrayList<>();
        for (int item = 0; item < list.getFieldRepetitionCount(0); item++) {
            rules.add(list.getGroup(0, item).getString(0, 0));
        }
        return new Found(
                group.getString(Quarantine.OUTPUT_FILE, 0),
                group.getGroup(Completion.InputRef.COLUMN, 0).getLong(Completion.InputRef.ROW, 0),
                group.getInteger(Completion.SAMPLE_IDX, 0),
                group.getString(Completion.STATUS, 0).equals("ok"),
                retried ? group.getGroup(Completion.Retry.COLUMN, 0).getInteger(Completion.Retry.ATTEMPT, 0) : 0,
                rules);
    }

    private static ShardException failure(Path dir, Exception e) {
        return new ShardException("quarantine " + dir + ": expected the gate's rows, got " + e.getMessage(), e);
    }

    @Override
    public void close() {
        try {
            if (reader != null) {
                reader.close();
            }
        } catch (IOException e) {
            throw failure(dir, e);
        }
    }

    /// Reads the columns that are asked for, as the file has them, and leaves the texts where they are.
    private static final class Places extends GroupReadSupport {
        @Override
        public ReadContext init(InitContext context) {
            MessageType file = context.getFileSchema();
            return new ReadContext(new MessageType(
                    file.getName(), COLUMNS.stream().map(file::getType).toList()));
        }
    }
}
