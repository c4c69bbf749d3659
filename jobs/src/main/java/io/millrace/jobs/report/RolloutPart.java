package io.millrace.jobs.report;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sum;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.millrace.jobs.JobException;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.jsoup.nodes.Element;

/// How rollouts ended, with links to their trajectories.
final class RolloutPart implements JobPart {
    private static final String TRAJECTORIES = "trajectories";
    private static final int MOST = 2000;

    private final SparkSession session;
    private final Links links;

    RolloutPart(SparkSession session, Links links) {
        this.session = session;
        this.links = links;
    }

    @Override
    public void write(RunFolder output, Page page) {
        List<String> folders = output.names(TRAJECTORIES).stream()
                .filter(name -> name.startsWith("sample-"))
                .map(name -> TRAJECTORIES + "/" + name)
                .toList();
        folders = folders.isEmpty() ? List.of(TRAJECTORIES) : folders;
        for (int sample = 0; sample < folders.size(); sample++) {
            Map<String, String> ends = ends(output, folders.get(sample));
            if (!ends.isEmpty()) {
                write(page, output, folders.get(sample), sample, folders.size(), ends);
            }
        }
    }

    /// Instance to exit status.
    static Map<String, String> ends(RunFolder output, String folder) {
        String file = folder + "/exit_statuses.yaml";
        Map<String, String> ends = new TreeMap<>();
        try {
            JsonNode statuses = new ObjectMapper(new YAMLFactory()).readTree(output.text(file));
            statuses.path("instances_by_exit_status")
                    .properties()
                    .forEach(status -> status.getValue().forEach(id -> ends.put(id.asText(), status.getKey())));
            return ends;
        } catch (IOException e) {
            throw new JobException(file + ": expected YAML, got " + e.getMessage(), e);
        }
    }

    private void write(Page page, RunFolder output, String folder, int sample, int samples, Map<String, String> ends) {
        Element section = page.section(
                "rollouts" + (sample == 0 ? "" : "-" + sample),
                samples == 1 ? "Rollouts" : "Rollouts, sample " + sample);
        Map<String, Long> counts = new TreeMap<>();
        ends.values().forEach(status -> counts.merge(status, 1L, Long::sum));
        Table sums = Table.in(section, "", "exit status", "#rollouts", "#share");
        counts.forEach((status, count) ->
                sums.row(Texts.shown(status), Numbers.count(count), Numbers.percent((double) count / ends.size())));
        Map<String, Row> turns = turns(output, sample);
        JsonNode predictions = output.json(folder + "/preds.json");
        Table table = Table.in(
                section,
                "",
                "instance",
                "exit status",
                "#turns",
                "#prompt tokens",
                "#completion tokens",
                "#patch, characters",
                "trajectory");
        ends.entrySet().stream().limit(MOST).forEach(end -> {
            Row turn = turns.get(end.getKey());
            Element line = table.row(
                    Texts.shown(end.getKey()),
                    Texts.shown(end.getValue()),
                    turn == null ? Numbers.NONE : Numbers.count(turn.getLong(1)),
                    turn == null ? Numbers.NONE : Numbers.count(turn.getLong(2)),
                    turn == null ? Numbers.NONE : Numbers.count(turn.getLong(3)),
                    Numbers.count(predictions
                            .path(end.getKey())
                            .path("model_patch")
                            .asText("")
                            .length()),
                    "");
            String file = folder + "/" + end.getKey() + "/" + end.getKey() + ".traj.json";
            if (turn != null) {
                links.add(line.child(6), file, "traj.json");
            }
        });
    }

    /// Instance to its turns and tokens.
    private Map<String, Row> turns(RunFolder output, int sample) {
        Map<String, Row> turns = new HashMap<>();
        if (output.has("turns/_SUCCESS")) {
            session.read()
                    .parquet(new Path(output.path(), "turns").toString())
                    .filter(col("sample_idx").equalTo(sample))
                    .groupBy(col("instance_id"))
                    .agg(count(lit(1)), sum("prompt_tokens"), sum("completion_tokens"))
                    .collectAsList()
                    .forEach(row -> turns.put(row.getString(0), row));
        }
        return turns;
    }
}
