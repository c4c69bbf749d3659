package io.millrace.udf.shard;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.udf.EngineIdentity;
import io.millrace.udf.ExecutorEngine;
import io.millrace.udf.GenerateFunction;
import java.io.IOException;
import java.util.Iterator;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.function.VoidFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.util.SerializableConfiguration;

/// Computes shards: reads the rows, has the executor's engine answer them, commits the file.
///
/// A shard may be computed by any number of attempts, one after the other or at once, and is committed once:
/// its file's name follows from what it is, a committed shard is not computed again, and an attempt that was
/// overtaken puts the same rows in the same place.
public final class ShardFunction implements VoidFunction<Iterator<String>> {
    private static final long serialVersionUID = 1L;

    private final ShardRecipe recipe;
    private final Broadcast<SerializableConfiguration> hadoop;

    /// @param hadoop configuration of the file systems
    public ShardFunction(ShardRecipe recipe, Broadcast<SerializableConfiguration> hadoop) {
        this.recipe = recipe;
        this.hadoop = hadoop;
    }

    /// @param shards each as {@link Shard#toJson}
    @Override
    public void call(Iterator<String> shards) {
        requireSameEngine();
        Configuration conf = hadoop.value().value();
        while (shards.hasNext()) {
            compute(Shard.ofJson(shards.next()), conf);
        }
    }

    private void compute(Shard shard, Configuration conf) {
        String fingerprint = recipe.generate().configFingerprint();
        if (isCommitted(recipe.output().file(shard.outputName(fingerprint)), conf)) {
            return;
        }
        try (ShardRows rows = ShardRows.open(shard, recipe.input(), conf);
                ShardWriter writer = ShardWriter.open(shard, recipe.output(), fingerprint, conf)) {
            Iterator<Row> completions = new GenerateFunction(recipe.generate()).call(rows);
            completions.forEachRemaining(writer::write);
            writer.commit();
        }
    }

    private static boolean isCommitted(Path file, Configuration conf) {
        try {
            return file.getFileSystem(conf).exists(file);
        } catch (IOException e) {
            throw new ShardException("output " + file + ": expected to be readable, got " + e.getMessage(), e);
        }
    }

    /// An executor whose engine gives other bits must not take part.
    private void requireSameEngine() {
        try (ExecutorEngine.Lease lease =
                ExecutorEngine.ofThisProcess().lease(recipe.generate().engine())) {
            EngineIdentity found = lease.engine().identity();
            if (!found.equals(recipe.engine())) {
                throw new EngineException(
                        ErrorCode.BAD_CONFIGURATION,
                        "this executor's engine: expected " + recipe.engine() + ", got " + found
                                + "; give all executors the same files and kernels (engine.ring)");
            }
        }
    }
}
