package io.millrace.jobs.code;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.udf.sandbox.Examiner;
import io.millrace.udf.sandbox.Sandbox;
import io.millrace.udf.shard.OutputDir;
import io.millrace.udf.shard.RowsFile;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.function.VoidFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.util.SerializableConfiguration;

/// Grades shards, one after the other, and commits each to a file of its own. An executor that has no sandbox fails
/// its task: that says nothing about a program.
final class GradeFunction implements VoidFunction<Iterator<String>> {
    private static final long serialVersionUID = 1;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Examiner examiner;
    private final OutputDir output;
    private final Broadcast<SerializableConfiguration> hadoop;

    GradeFunction(Examiner examiner, OutputDir output, Broadcast<SerializableConfiguration> hadoop) {
        this.examiner = examiner;
        this.output = output;
        this.hadoop = hadoop;
    }

    /// @param shards each a {@link GradeShard} as JSON
    @Override
    public void call(Iterator<String> shards) throws JsonProcessingException, InterruptedException {
        Sandbox.requireAvailable();
        Configuration conf = hadoop.value().value();
        while (shards.hasNext()) {
            GradeShard shard = JSON.readValue(shards.next(), GradeShard.class);
            RowsFile.write(output.file(shard.name()), Graded.COLUMNS, graded(shard.attempts()), output, conf);
        }
    }

    private List<Row> graded(List<Attempt> attempts) throws InterruptedException {
        List<Row> rows = new ArrayList<>(attempts.size());
        for (Attempt attempt : attempts) {
            rows.add(
                    attempt.solution() == null
                            ? Graded.missing(attempt)
                            : Graded.row(
                                    attempt,
                                    examiner.examine(
                                            attempt.language(), attempt.solution() + "\n" + attempt.tests())));
        }
        return rows;
    }
}
