package io.millrace.jobs;

import io.millrace.udf.shard.ReadSummary;
import io.millrace.udf.shard.RowSummary;
import io.millrace.udf.shard.Shard;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;

/// What the footers of committed shards say, read where the executors are and handed on one by one in the
/// order of the plan.
final class ShardSummaries {
    /// Shards whose summaries are on the driver at once.
    private static final int AT_ONCE = 4096;

    private final JavaSparkContext spark;
    private final ReadSummary read;
    private final String fingerprint;

    ShardSummaries(JavaSparkContext spark, CompletionSink sink, String fingerprint) {
        this.spark = spark;
        this.fingerprint = fingerprint;
        Broadcast<SerializableConfiguration> hadoop =
                spark.broadcast(new SerializableConfiguration(spark.hadoopConfiguration()));
        read = new ReadSummary(sink.output(), hadoop);
    }

    /// @param wanted which shards; each must be committed
    /// @throws io.millrace.udf.shard.ShardException if one is missing or damaged
    void forEach(InputPlan plan, Predicate<Shard> wanted, BiConsumer<Shard, RowSummary> consumer) {
        List<Shard> batch = new ArrayList<>();
        plan.forEachShard(shard -> {
            if (wanted.test(shard)) {
                batch.add(shard);
            }
            if (batch.size() == AT_ONCE) {
                handOn(batch, consumer);
                batch.clear();
            }
        });
        handOn(batch, consumer);
    }

    private void handOn(List<Shard> shards, BiConsumer<Shard, RowSummary> consumer) {
        if (shards.isEmpty()) {
            return;
        }
        List<String> names =
                shards.stream().map(shard -> shard.outputName(fingerprint)).toList();
        int tasks = Math.min(names.size(), 4 * spark.defaultParallelism());
        List<String> summaries = spark.parallelize(names, tasks).map(read).collect();
        for (int index = 0; index < shards.size(); index++) {
            consumer.accept(shards.get(index), RowSummary.ofJson(summaries.get(index)));
        }
    }
}
