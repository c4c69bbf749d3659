package io.millrace.jobs;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.schemas.Columns.Completion;
import io.millrace.udf.RowIdentity;
import io.millrace.udf.SparkSchemas;
import io.millrace.udf.shard.OutputDir;
import io.millrace.udf.shard.Shard;
import io.millrace.udf.shard.ShardWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.VoidFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;
import org.jspecify.annotations.Nullable;

/// Program of {@link LedgerScaleIT}: `plant` begins a run and commits made-up rows for all shards but a
/// slice; `resume` goes on with it, the bundled model on the slice, and prints what that took.
final class LedgerScale {
    /// Shards that are left to do.
    private static final int SLICE = 2;

    private LedgerScale() {}

    public static void main(String[] args) throws IOException {
        Map<String, List<String>> values = new TreeMap<>();
        for (String setting : List.of(
                "input.path=" + args[1],
                "input.text-column=text",
                "output.dir=" + args[2],
                "sampling.max-tokens=2",
                "gate.enabled=false",
                "spark.master=local[2]")) {
            String[] parts = setting.split("=", 2);
            values.put(parts[0], List.of(parts[1]));
        }
        MillraceHome home = new MillraceHome(
                Path.of("..").toAbsolutePath().normalize(), Path.of("").toAbsolutePath());
        JobConfig config = JobConfig.resolve(home, List.of(new Settings("test", values)));
        SparkSession session = SparkSessions.open(config);
        try {
            JavaSparkContext spark = JavaSparkContext.fromSparkContext(session.sparkContext());
            if (args[0].equals("plant")) {
                plant(spark, config);
            } else {
                resume(spark, config);
            }
        } finally {
            session.stop();
        }
    }

    private static final RunRequest REQUEST = new RunRequest(List.of("scale"), RunRequest.IfDifferent.REFUSE, false);

    private static void plant(JavaSparkContext spark, JobConfig config) {
        Run run = Run.open(spark, config, REQUEST, false);
        List<String> shards = RunLedger.read(
                        run.sink(), run.plan(), run.recipe().configFingerprint())
                .pending();
        List<String> done = new ArrayList<>(shards.subList(0, shards.size() - SLICE));
        Broadcast<SerializableConfiguration> hadoop =
                spark.broadcast(new SerializableConfiguration(spark.hadoopConfiguration()));
        spark.parallelize(done, Math.max(2, done.size() / 64))
                .foreachPartition(new Plant(run.sink().output(), run.recipe().configFingerprint(), hadoop));
        run.stopped("interrupted");
    }

    /// Commits made-up rows.
    private static final class Plant implements VoidFunction<Iterator<String>> {
        private static final StructType SCHEMA = SparkSchemas.completion();

        private final OutputDir output;
        private final String fingerprint;
        private final Broadcast<SerializableConfiguration> hadoop;

        Plant(OutputDir output, String fingerprint, Broadcast<SerializableConfiguration> hadoop) {
            this.output = output;
            this.fingerprint = fingerprint;
            this.hadoop = hadoop;
        }

        @Override
        public void call(Iterator<String> shards) throws IOException {
            Configuration conf = hadoop.value().value();
            ObjectMapper json = new ObjectMapper();
            while (shards.hasNext()) {
                Shard shard = json.readValue(shards.next(), Shard.class);
                try (ShardWriter writer = ShardWriter.open(shard, output, fingerprint, conf)) {
                    for (int row = 0; row < shard.rows(); row++) {
                        writer.write(row(shard, shard.firstRow() + row));
                    }
                    writer.commit();
                }
            }
        }

        private Row row(Shard shard, long row) {
            @Nullable Object[] values = values(SCHEMA);
            RowIdentity identity =
                    new RowIdentity(shard.file().name(), shard.file().version(), shard.block(), row, 0);
            values[SCHEMA.fieldIndex(Completion.REQUEST_ID)] = identity.requestId(fingerprint);
            values[SCHEMA.fieldIndex(Completion.InputRef.COLUMN)] =
                    RowFactory.create(shard.file().name(), shard.block(), row);
            values[SCHEMA.fieldIndex(Completion.SAMPLE_IDX)] = 0;
            values[SCHEMA.fieldIndex(Completion.STATUS)] = "ok";
            values[SCHEMA.fieldIndex(Completion.RowError.COLUMN)] = null;
            return RowFactory.create(values);
        }

        private static @Nullable Object[] values(StructType schema) {
            @Nullable Object[] values = new @Nullable Object[schema.length()];
            for (int field = 0; field < values.length; field++) {
                StructField column = schema.apply(field);
                values[field] = switch (column.dataType().typeName()) {
                    case "struct" -> RowFactory.create(values((StructType) column.dataType()));
                    case "array" -> null;
                    case "integer" -> 1;
                    case "long" -> 1L;
                    case "double" -> 0.5;
                    case "boolean" -> false;
                    case "timestamp" -> Timestamp.from(Instant.EPOCH);
                    default -> "made up";
                };
            }
            return values;
        }
    }

    private static void resume(JavaSparkContext spark, JobConfig config) throws IOException {
        ObjectNode found = new ObjectMapper().createObjectNode();
        long began = System.nanoTime();
        InputPlanner planner = new InputPlanner(spark, config.input(), config.prompt(), config.shardRows());
        InputPlan anew = planner.plan(null);
        double planSeconds = seconds(began);

        long usedBefore = usedAfterCollection();
        began = System.nanoTime();
        CompletionSink sink = CompletionSink.open(config.outputDir(), spark.hadoopConfiguration());
        EarlierRun earlier = EarlierRun.read(sink);
        InputPlan plan = planner.plan(earlier == null ? null : earlier.plan());
        String fingerprint = earlier == null ? "" : earlier.fingerprint().sha256();
        RunLedger ledger = RunLedger.read(sink, plan, fingerprint);
        List<String> pending = ledger.pending();
        double resumeSeconds = seconds(began);
        long kept = usedAfterCollection() - usedBefore;
        if (!plan.files().equals(anew.files()) || pending.size() != SLICE) {
            throw new IllegalStateException("expected the same plan and " + SLICE + " shards to do, got " + pending);
        }

        began = System.nanoTime();
        Run run = Run.open(spark, config, REQUEST, false);
        double startSeconds = seconds(began);
        run.compute(spark);
        began = System.nanoTime();
        RunTotals totals = run.complete(spark);
        found.put("shards", ledger.shards())
                .put("rows", totals.all().rows())
                .put("plan_seconds", planSeconds)
                .put("resume_seconds", resumeSeconds)
                .put("start_seconds", startSeconds)
                .put("sum_seconds", seconds(began))
                .put("kept_mib", kept / 1048576.0)
                .put("peak_heap_mib", peakHeap() / 1048576.0)
                .put("peak_process_mib", peakProcess() / 1024.0);
        PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
        out.println(found);
    }

    private static double seconds(long since) {
        return (System.nanoTime() - since) / 1e9;
    }

    private static long usedAfterCollection() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    private static long peakHeap() {
        return ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(pool -> pool.getType() == MemoryType.HEAP)
                .mapToLong((MemoryPoolMXBean pool) -> pool.getPeakUsage().getUsed())
                .sum();
    }

    /// The most memory that the process has had, in KiB.
    private static long peakProcess() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmHWM:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .findFirst()
                .orElse(0);
    }
}
