package io.millrace.jobs.rollout;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import io.millrace.jobs.JobConfig;
import io.millrace.jobs.JobException;
import io.millrace.schemas.Columns.Completion;
import io.millrace.udf.agent.RolloutLogs;
import io.millrace.udf.shard.WholeFiles;
import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.storage.StorageLevel;
import org.apache.spark.util.SerializableConfiguration;
import org.jspecify.annotations.Nullable;

/// What is made of a run's rows and logs, and nothing else: trajectories and predictions where
/// mini-swe-agent would have written them, a table of all turns, and how many rollouts ended how. Doing
/// it again changes nothing.
///
/// ```
/// OUTPUT/trajectories/preds.json, exit_statuses.yaml, ID/ID.traj.json     (or in sample-N, if there
/// are several) OUTPUT/turns/*.parquet
/// ```
///
/// @param statuses exit status to the ids of the rollouts that ended so
record RolloutReport(Map<String, List<String>> statuses) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String TRAJECTORIES = "trajectories";
    private static final String TURNS = "turns";
    private static final Pattern FILE_NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,150}");
    /// Digits of a request id that tell rows of one name apart.
    private static final int DIGITS = 8;

    private static final StructType TURN = new StructType()
            .add("instance_id", DataTypes.StringType, false)
            .add("request_id", DataTypes.StringType, false)
            .add("sample_idx", DataTypes.IntegerType, false)
            .add("step", DataTypes.IntegerType, false)
            .add("content", DataTypes.StringType, true)
            .add("reasoning", DataTypes.StringType, true)
            .add("actions", DataTypes.StringType, true)
            .add("observations", DataTypes.StringType, true)
            .add("returncode", DataTypes.IntegerType, true)
            .add("finish_reason", DataTypes.StringType, true)
            .add("prompt_tokens", DataTypes.IntegerType, false)
            .add("cached_tokens", DataTypes.IntegerType, false)
            .add("completion_tokens", DataTypes.IntegerType, false)
            .add("timestamp", DataTypes.DoubleType, false);

    /// One rollout, as its canonical row has it.
    ///
    /// @param name unique among those of its sample
    /// @param error code, null if there is none
    /// @param folder of trajectories
    private record Entry(
            String name,
            String requestId,
            int sampleIdx,
            int attempt,
            @Nullable String error,
            String patch,
            String model,
            String folder)
            implements Serializable {}

    /// Reads what is committed, and writes the rest.
    static RolloutReport write(SparkSession session, JobConfig config) {
        Path output = Objects.requireNonNull(new Path(config.outputDir()).getParent(), "the rows have a folder");
        String logs = new Path(output, RolloutCommand.LOGS).toString();
        List<Entry> entries = entries(session, config, output);
        JavaSparkContext spark = JavaSparkContext.fromSparkContext(session.sparkContext());
        Broadcast<SerializableConfiguration> hadoop =
                spark.broadcast(new SerializableConfiguration(spark.hadoopConfiguration()));
        String staging = new Path(output, "_staging").toString();
        JavaRDD<Row> told = spark.parallelize(
                        entries, Math.clamp(entries.size(), 1, Math.max(1, spark.defaultParallelism() * 4)))
                .mapPartitions(new Trajectories(logs, staging, hadoop))
                .persist(StorageLevel.MEMORY_AND_DISK());
        List<Row> ends = told.filter(row -> row.size() == 2).collect();
        session.createDataFrame(told.filter(row -> row.size() > 2), TURN)
                .write()
                .mode(SaveMode.Overwrite)
                .parquet(new Path(output, TURNS).toString());
        told.unpersist();
        return new RolloutReport(statuses(entries, ends, staging, spark.hadoopConfiguration()));
    }

    private static List<Entry> entries(SparkSession session, JobConfig config, Path output) {
        List<Row> rows = session.read()
                .parquet(config.outputDir())
                .select(
                        functions.col(Completion.CUSTOM_ID),
                        functions.col(Completion.REQUEST_ID),
                        functions.col(Completion.SAMPLE_IDX),
                        functions.col(Completion.Retry.COLUMN + "." + Completion.Retry.ATTEMPT),
                        functions.col(Completion.RowError.COLUMN + "." + Completion.RowError.CODE),
                        functions.col(Completion.OUTPUT_TEXT),
                        functions.col(Completion.Engine.COLUMN + "." + Completion.Engine.MODEL))
                .collectAsList();
        Map<String, Integer> uses = new TreeMap<>();
        rows.forEach(row -> uses.merge(row.getString(0) + "\n" + row.getInt(2), 1, Integer::sum));
        List<Entry> entries = new ArrayList<>();
        for (Row row : rows) {
            boolean unique = uses.getOrDefault(row.getString(0) + "\n" + row.getInt(2), 0) == 1;
            String folder = config.sampling().samples() == 1
                    ? new Path(output, TRAJECTORIES).toString()
                    : new Path(new Path(output, TRAJECTORIES), "sample-" + row.getInt(2)).toString();
            entries.add(new Entry(
                    name(row.getString(0), row.getString(1), unique),
                    row.getString(1),
                    row.getInt(2),
                    row.isNullAt(3) ? 0 : row.getInt(3),
                    row.getString(4),
                    row.isNullAt(5) ? "" : row.getString(5),
                    row.getString(6),
                    folder));
        }
        entries.sort(Comparator.comparing(Entry::folder).thenComparing(Entry::name));
        return entries;
    }

    private static String name(@Nullable String customId, String requestId, boolean unique) {
        if (customId == null || !FILE_NAME.matcher(customId).matches()) {
            return requestId;
        }
        return unique ? customId : customId + "-" + requestId.substring(0, DIGITS);
    }

    private static Map<String, List<String>> statuses(
            List<Entry> entries, List<Row> ends, String staging, Configuration conf) {
        Map<String, String> statusOf = new TreeMap<>();
        ends.forEach(end -> statusOf.put(end.getString(0), end.getString(1)));
        Map<String, List<String>> all = new TreeMap<>();
        Map<String, List<Entry>> folders = new TreeMap<>();
        entries.forEach(entry ->
                folders.computeIfAbsent(entry.folder(), _ -> new ArrayList<>()).add(entry));
        folders.forEach((folder, those) -> {
            Map<String, List<String>> statuses = new TreeMap<>();
            ObjectNode predictions = JSON.createObjectNode();
            for (Entry entry : those) {
                String status = statusOf.getOrDefault(entry.requestId(), "");
                statuses.computeIfAbsent(status, _ -> new ArrayList<>()).add(entry.name());
                all.computeIfAbsent(status, _ -> new ArrayList<>()).add(entry.name());
                predictions
                        .putObject(entry.name())
                        .put("model_name_or_path", entry.model())
                        .put("instance_id", entry.name())
                        .put("model_patch", entry.patch());
            }
            write(staging, new Path(folder, "preds.json"), predictions.toPrettyString(), conf);
            write(staging, new Path(folder, "exit_statuses.yaml"), yaml(statuses), conf);
        });
        return all;
    }

    private static String yaml(Map<String, List<String>> statuses) {
        try {
            return new ObjectMapper(new YAMLFactory().disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER))
                    .writeValueAsString(Map.of("instances_by_exit_status", statuses));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a map of strings can be written", e);
        }
    }

    private static void write(String staging, Path target, String text, Configuration conf) {
        try {
            WholeFiles.on(target, conf)
                    .write(new Path(staging), target, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
        } catch (IOException e) {
            throw new JobException("output " + target + ": expected to be writable, got " + e.getMessage(), e);
        }
    }

    /// Lines of the summary: how many rollouts ended how.
    String table() {
        StringBuilder table = new StringBuilder();
        statuses.forEach(
                (status, ids) -> table.append(String.format(Locale.ROOT, "%-30s %,d%n", "exit " + status, ids.size())));
        return table.toString();
    }

    /// Writes trajectories; tells request id and exit status of each, and its turns.
    private record Trajectories(String logs, String staging, Broadcast<SerializableConfiguration> hadoop)
            implements FlatMapFunction<Iterator<Entry>, Row> {

        @Override
        public Iterator<Row> call(Iterator<Entry> entries) throws IOException {
            Configuration conf = hadoop.value().value();
            List<Row> rows = new ArrayList<>();
            while (entries.hasNext()) {
                Entry entry = entries.next();
                @Nullable
                ObjectNode trajectory = RolloutLogs.trajectory(logs, entry.requestId(), entry.attempt(), conf);
                if (trajectory == null) {
                    // an error row of a task that could not begin
                    rows.add(RowFactory.create(entry.requestId(), String.valueOf(entry.error())));
                    continue;
                }
                ObjectNode info = (ObjectNode) trajectory.path("info");
                if (entry.error() != null) {
                    info.put("exit_status", entry.error());
                }
                rows.add(RowFactory.create(
                        entry.requestId(), info.path("exit_status").asText()));
                Path target = new Path(new Path(entry.folder(), entry.name()), entry.name() + ".traj.json");
                write(staging, target, trajectory.toPrettyString(), conf);
                turns(entry, trajectory.path("messages"), rows);
            }
            return rows.iterator();
        }

        /// A turn is a message of the agent, or what it was told instead of one, with all that follows
        /// before the next.
        private static void turns(Entry entry, JsonNode messages, List<Row> rows) {
            int step = 0;
            for (int at = 0; at < messages.size(); at++) {
                JsonNode message = messages.get(at);
                JsonNode extra = message.path("extra");
                if (extra.path("response").isMissingNode()) {
                    continue;
                }
                List<String> observations = new ArrayList<>();
                @Nullable Integer returncode = null;
                if (message.path("role").asText().equals("assistant")) {
                    for (int next = at + 1; next < messages.size(); next++) {
                        JsonNode observed = messages.get(next).path("extra");
                        if (observed.path("raw_output").isMissingNode()) {
                            break;
                        }
                        observations.add(observed.path("raw_output").asText());
                        returncode = observed.path("returncode").asInt();
                    }
                }
                JsonNode usage = extra.at("/response/usage");
                rows.add(RowFactory.create(
                        entry.name(),
                        entry.requestId(),
                        entry.sampleIdx(),
                        step++,
                        extra.path("model_response")
                                .asText(message.path("content").asText()),
                        message.path("reasoning_content").textValue(),
                        extra.path("actions").isArray() ? extra.path("actions").toString() : null,
                        JSON.valueToTree(observations).toString(),
                        returncode,
                        extra.at("/response/choices/0/finish_reason").asText(),
                        usage.path("prompt_tokens").asInt(),
                        usage.at("/prompt_tokens_details/cached_tokens").asInt(),
                        usage.path("completion_tokens").asInt(),
                        extra.path("timestamp").asDouble()));
            }
        }
    }
}
