package io.millrace.udf.shard;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.schemas.Columns.Completion;
import io.millrace.udf.EngineIdentity;
import io.millrace.udf.ExecutorEngine;
import io.millrace.udf.GenerateFunction;
import io.millrace.udf.GenerateRecipe;
import io.millrace.udf.Retry;
import io.millrace.udf.RetryPlan;
import io.millrace.udf.RowFunction;
import io.millrace.udf.RowIdentity;
import io.millrace.udf.SparkSchemas;
import io.millrace.udf.agent.RolloutFunction;
import io.millrace.udf.agent.RolloutRecipe;
import java.io.IOException;
import java.io.Serializable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.function.VoidFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;

/// Computes shards: reads the rows, has the executor's engine answer them, commits the files, one after the
/// other.
///
/// A shard may be computed by any number of attempts, one after the other or at once, and is committed
/// once: its file's name follows from what it is, a committed shard is not computed again, and an
/// attempt that was overtaken leaves what is there.
public final class ShardFunction implements VoidFunction<Iterator<String>> {
    private static final long serialVersionUID = 1L;

    /// What is done with a shard.
    public sealed interface Work extends Serializable {
        /// All of its rows are computed, unless it is committed.
        record Compute() implements Work {}

        /// Those of its committed rows that failed are computed again, as they were, and take their places.
        record RetryErrors() implements Work {}

        /// Those of its committed rows that the gate has set aside are computed again, as the rules
        /// have it, and take their places.
        record RetryQuarantined(RetryPlan plan) implements Work {}
    }

    private static final StructType SCHEMA = SparkSchemas.completion();
    private static final int INPUT_REF = SCHEMA.fieldIndex(Completion.InputRef.COLUMN);
    private static final int SAMPLE_IDX = SCHEMA.fieldIndex(Completion.SAMPLE_IDX);
    private static final int ERROR = SCHEMA.fieldIndex(Completion.RowError.COLUMN);
    private static final int RETRY = SCHEMA.fieldIndex(Completion.Retry.COLUMN);

    private final Work work;
    private final ShardRecipe recipe;
    private final Broadcast<SerializableConfiguration> hadoop;

    /// @param hadoop configuration of the file systems
    public ShardFunction(Work work, ShardRecipe recipe, Broadcast<SerializableConfiguration> hadoop) {
        this.work = work;
        this.recipe = recipe;
        this.hadoop = hadoop;
    }

    /// @param shards each as {@link Shard#toJson}
    @Override
    public void call(Iterator<String> shards) {
        requireSameEngine();
        Configuration conf = hadoop.value().value();
        List<Shard> todo = new ArrayList<>();
        shards.forEachRemaining(json -> todo.add(Shard.ofJson(json)));
        switch (work) {
            case Work.Compute _ -> compute(todo, conf);
            case Work.RetryErrors _ ->
                todo.forEach(shard -> computeAgain(shard, file(shard), failed(file(shard), conf), conf));
            case Work.RetryQuarantined(RetryPlan plan) ->
                todo.forEach(shard -> computeAgain(shard, file(shard), quarantined(file(shard), plan, conf), conf));
        }
    }

    private Path file(Shard shard) {
        return recipe.output().file(shard.outputName(fingerprint()));
    }

    private String fingerprint() {
        return recipe.generate().configFingerprint();
    }

    private RowFunction rows(Configuration conf) {
        Duration patience = Duration.ofSeconds(recipe.stallSeconds());
        RolloutRecipe rollout = recipe.rollout();
        return rollout == null
                ? new GenerateFunction(recipe.generate(), patience)
                : new RolloutFunction(recipe.generate(), rollout, patience, conf);
    }

    private void compute(List<Shard> shards, Configuration conf) {
        int samples = recipe.generate().sampling().samples();
        try (ShardQueue rows =
                new ShardQueue(shards.iterator(), shard -> isCommitted(file(shard), conf), recipe.input(), conf)) {
            Iterator<Row> completions = rows(conf).call(rows, _ -> recipe.generate());
            while (completions.hasNext()) {
                Row first = completions.next();
                Shard shard = rows.nextOpened();
                try (ShardWriter writer = ShardWriter.open(shard, recipe.output(), fingerprint(), conf)) {
                    writer.write(first);
                    for (long row = 1; row < (long) shard.rows() * samples; row++) {
                        writer.write(completions.next());
                    }
                    // where two kinds of engines compute, the other's rows may differ in their last bits
                    if (!isCommitted(file(shard), conf)) {
                        writer.commit();
                    }
                }
            }
        }
    }

    /// @param wanted rows of the committed shard, and how each is computed
    private void computeAgain(Shard shard, Path file, Map<Place, GenerateRecipe> wanted, Configuration conf) {
        if (wanted.isEmpty()) {
            return;
        }
        try (CommittedRows before = CommittedRows.open(file, conf);
                ShardRows rows = ShardRows.open(shard, recipe.input(), conf);
                ShardWriter writer = ShardWriter.open(shard, recipe.output(), fingerprint(), conf)) {
            Iterator<Row> completions =
                    rows(conf).call(only(rows, wanted.keySet()), identity -> wanted.get(Place.of(identity)));
            while (before.hasNext()) {
                Row row = before.next();
                writer.write(wanted.containsKey(Place.ofCompletion(row)) ? completions.next() : row);
            }
            writer.commit();
        }
    }

    /// The rows of a committed shard that failed; a retry that failed is that retry again.
    private Map<Place, GenerateRecipe> failed(Path file, Configuration conf) {
        Map<Place, GenerateRecipe> failed = new HashMap<>();
        try (CommittedRows rows = CommittedRows.open(file, conf)) {
            while (rows.hasNext()) {
                Row row = rows.next();
                if (!row.isNullAt(ERROR)) {
                    Retry retry = Retry.ofColumn(row.getAs(RETRY));
                    failed.put(
                            Place.ofCompletion(row),
                            retry == null
                                    ? recipe.generate()
                                    : recipe.generate().with(retry));
                }
            }
        }
        return failed;
    }

    /// The rows of a committed shard that the gate has set aside and that are as it found them: one that
    /// another attempt at this work has replaced is done.
    private Map<Place, GenerateRecipe> quarantined(Path file, RetryPlan plan, Configuration conf) {
        Map<Place, Retry> due = new HashMap<>();
        Path quarantine = recipe.output().quarantine();
        try (QuarantinedRows rows = QuarantinedRows.of(quarantine, file.getName(), conf)) {
            rows.forEachRemaining(row -> {
                Retry retry = plan.next(row.rules(), row.attempts());
                if (retry != null) {
                    due.put(new Place(row.row(), row.sampleIdx()), retry);
                }
            });
        }
        Map<Place, GenerateRecipe> wanted = new HashMap<>();
        try (CommittedRows rows = CommittedRows.open(file, conf)) {
            rows.forEachRemaining(row -> {
                Retry retry = due.get(Place.ofCompletion(row));
                Retry before = Retry.ofColumn(row.getAs(RETRY));
                int attempts = before == null ? 0 : before.attempt();
                if (retry != null && attempts == retry.attempt() - 1) {
                    wanted.put(Place.ofCompletion(row), recipe.generate().with(retry));
                }
            });
        }
        return wanted;
    }

    private Iterator<Row> only(ShardRows rows, Set<Place> wanted) {
        int samples = recipe.generate().sampling().samples();
        Spliterator<Row> all = Spliterators.spliteratorUnknownSize(rows, Spliterator.ORDERED);
        return StreamSupport.stream(all, false)
                .filter(row -> IntStream.range(0, samples)
                        .anyMatch(sample -> wanted.contains(Place.of(RowIdentity.of(row, sample)))))
                .iterator();
    }

    /// A row's place in its shard's block, and its sample.
    private record Place(long row, int sampleIdx) {
        static Place of(RowIdentity identity) {
            return new Place(identity.row(), identity.sampleIdx());
        }

        static Place ofCompletion(Row completion) {
            return new Place(completion.getStruct(INPUT_REF).getLong(2), completion.getInt(SAMPLE_IDX));
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
