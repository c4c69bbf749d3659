package io.millrace.jobs.code;

import io.millrace.jobs.JobException;
import io.millrace.udf.sandbox.Examiner;
import io.millrace.udf.shard.OutputDir;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.SerializableConfiguration;

/// The stage that runs programs: one file of results for each shard; what has been graded is not run again.
final class Grading {
    private final SparkSession session;
    private final OutputDir output;

    /// @param output directory of the results
    Grading(SparkSession session, OutputDir output) {
        this.session = session;
        this.output = output;
    }

    /// Grades all samples, in their order.
    List<Graded> grade(List<Attempt> attempts, Examiner examiner) {
        JavaSparkContext spark = JavaSparkContext.fromSparkContext(session.sparkContext());
        List<GradeShard> shards = GradeShard.of(attempts, examiner);
        Set<String> committed = prepare(spark.hadoopConfiguration());
        List<String> pending = shards.stream()
                .filter(shard -> !committed.contains(shard.name()))
                .map(GradeShard::toJson)
                .toList();
        if (!pending.isEmpty()) {
            spark.parallelize(pending, pending.size())
                    .foreachPartition(new GradeFunction(
                            examiner,
                            output,
                            spark.broadcast(new SerializableConfiguration(spark.hadoopConfiguration()))));
        }
        return read(shards, attempts.size());
    }

    /// @return names of what is there
    private Set<String> prepare(Configuration conf) {
        Path dir = new Path(output.dir());
        Set<String> names = new HashSet<>();
        try {
            FileSystem files = dir.getFileSystem(conf);
            files.mkdirs(output.staging());
            for (FileStatus file : files.listStatus(dir)) {
                names.add(file.getPath().getName());
            }
            return names;
        } catch (FileNotFoundException _) {
            return names;
        } catch (IOException e) {
            throw new JobException("output " + dir + ": expected to be writable, got " + e.getMessage(), e);
        }
    }

    private List<Graded> read(List<GradeShard> shards, int expected) {
        String[] files = shards.stream()
                .map(shard -> output.file(shard.name()).toString())
                .toArray(String[]::new);
        List<Graded> graded = session.read().schema(Graded.COLUMNS).parquet(files).collectAsList().stream()
                .map(Graded::of)
                .toList();
        if (graded.size() != expected) {
            throw new JobException("output " + output.dir() + ": expected " + expected + " results, got " + graded.size());
        }
        return graded;
    }
}
