package io.millrace.jobs.code;

import io.millrace.udf.sandbox.Examiner.Verdict;
import io.millrace.udf.sandbox.Outcome;
import io.millrace.udf.sandbox.Output;
import java.util.Locale;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/// A sample with what became of it.
///
/// @param result in HumanEval's words: `passed`, `timed out` or `failed: ` and why
record Graded(
        String taskId,
        int sampleIdx,
        boolean passed,
        String result,
        @Nullable String completion,
        @Nullable String solution) {

    /// One row for each sample.
    static final StructType COLUMNS = new StructType()
            .add("task_id", DataTypes.StringType, false)
            .add("sample_idx", DataTypes.IntegerType, false)
            .add("passed", DataTypes.BooleanType, false)
            .add("result", DataTypes.StringType, false)
            .add("completion", DataTypes.StringType, true)
            .add("solution", DataTypes.StringType, true)
            .add("ending", DataTypes.StringType, true)
            .add("exit_code", DataTypes.IntegerType, true)
            .add("seconds", DataTypes.DoubleType, true)
            .add("stdout", DataTypes.StringType, true)
            .add("stderr", DataTypes.StringType, true);

    private static final int KEPT_CHARS = 4000;

    static Row row(Attempt attempt, Verdict verdict) {
        Outcome outcome = verdict.outcome();
        return RowFactory.create(
                attempt.taskId(),
                attempt.sampleIdx(),
                verdict.passed(),
                verdict.result(),
                attempt.completion(),
                attempt.solution(),
                outcome.ending().name().toLowerCase(Locale.ROOT),
                outcome.exitCode(),
                outcome.seconds(),
                kept(outcome.stdout()),
                kept(outcome.stderr()));
    }

    static Row missing(Attempt attempt) {
        return RowFactory.create(
                attempt.taskId(),
                attempt.sampleIdx(),
                false,
                "failed: " + attempt.missing(),
                attempt.completion(),
                null,
                null,
                null,
                null,
                null,
                null);
    }

    static Graded of(Row row) {
        return new Graded(
                row.getAs("task_id"),
                row.getAs("sample_idx"),
                row.getAs("passed"),
                row.getAs("result"),
                row.getAs("completion"),
                row.getAs("solution"));
    }

    private static String kept(Output output) {
        String text = output.text();
        return text.length() <= KEPT_CHARS ? text : text.substring(text.length() - KEPT_CHARS);
    }
}
