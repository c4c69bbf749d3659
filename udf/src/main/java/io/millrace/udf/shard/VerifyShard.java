package io.millrace.udf.shard;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.schemas.Columns.Completion;
import io.millrace.udf.RowIdentity;
import io.millrace.udf.SparkSchemas;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;

/// Reads the rows of a committed shard again and compares: with the plan, row for row, and with what the
/// footer says of them.
public final class VerifyShard implements Function<String, String> {
    private static final long serialVersionUID = 1L;

    private static final StructType SCHEMA = SparkSchemas.completion();
    private static final int REQUEST_ID = SCHEMA.fieldIndex(Completion.REQUEST_ID);
    private static final int INPUT_REF = SCHEMA.fieldIndex(Completion.InputRef.COLUMN);
    private static final int SAMPLE_IDX = SCHEMA.fieldIndex(Completion.SAMPLE_IDX);
    /// Wrong rows that are described; of the others only the first of a shard matters.
    private static final int SHOWN = 3;

    private final OutputDir output;
    private final String fingerprint;
    private final int samples;
    private final Broadcast<SerializableConfiguration> hadoop;

    /// @param samples output rows per input row
    public VerifyShard(OutputDir output, String fingerprint, int samples, Broadcast<SerializableConfiguration> hadoop) {
        this.output = output;
        this.fingerprint = fingerprint;
        this.samples = samples;
        this.hadoop = hadoop;
    }

    /// What was found.
    ///
    /// @param summary of the rows as they are
    /// @param problems what is not as it should be, in words
    public record Finding(RowSummary summary, List<String> problems) {
        private static final ObjectMapper JSON = new ObjectMapper();

        String toJson() {
            try {
                return JSON.writeValueAsString(this);
            } catch (JsonProcessingException e) {
                throw new IllegalStateException("strings and numbers can always be written", e);
            }
        }

        /// @throws IllegalArgumentException if it is not what {@link VerifyShard} returns
        public static Finding ofJson(String json) {
            try {
                return JSON.readValue(json, Finding.class);
            } catch (JsonProcessingException e) {
                throw new IllegalArgumentException("finding: expected its JSON, got " + json, e);
            }
        }
    }

    /// @param json a shard that has a file, as JSON
    /// @return a {@link Finding} as JSON
    @Override
    public String call(String json) {
        return verify(Shard.ofJson(json), hadoop.value().value()).toJson();
    }

    Finding verify(Shard shard, Configuration conf) {
        Path file = output.file(shard.outputName(fingerprint));
        List<String> problems = new ArrayList<>();
        RowTally tally = new RowTally();
        try (CommittedRows rows = CommittedRows.open(file, conf)) {
            for (long at = 0; rows.hasNext(); at++) {
                Row row = rows.next();
                tally.add(row);
                RowIdentity place = new RowIdentity(
                        shard.file().name(),
                        shard.file().version(),
                        shard.block(),
                        shard.firstRow() + at / samples,
                        (int) (at % samples));
                if (problems.size() < SHOWN) {
                    checkPlace(row, at, place, problems);
                }
            }
            RowSummary found = tally.summary();
            CommittedShard footer = CommittedShard.read(file, conf);
            checkEqual("shard", shard, footer.shard(), problems);
            checkEqual("fingerprint", fingerprint, footer.fingerprint(), problems);
            checkEqual("rows", (long) shard.rows() * samples, found.rows(), problems);
            checkEqual("summary", footer.summary(), found, problems);
            return new Finding(found, inFile(file, problems));
        } catch (ShardException e) {
            return new Finding(RowSummary.NONE, List.of(String.valueOf(e.getMessage())));
        }
    }

    private void checkPlace(Row row, long at, RowIdentity place, List<String> problems) {
        Row ref = row.getStruct(INPUT_REF);
        RowIdentity found = new RowIdentity(
                ref.getString(0), place.fileVersion(), ref.getInt(1), ref.getLong(2), row.getInt(SAMPLE_IDX));
        checkEqual("row " + at, place, found, problems);
        checkEqual("request id of row " + at, place.requestId(fingerprint), row.getString(REQUEST_ID), problems);
    }

    private static void checkEqual(String what, Object expected, Object found, List<String> problems) {
        if (!expected.equals(found)) {
            problems.add(what + ": expected " + expected + ", got " + found);
        }
    }

    private static List<String> inFile(Path file, List<String> problems) {
        return problems.stream()
                .map(problem -> "output " + file + ": " + problem)
                .toList();
    }
}
