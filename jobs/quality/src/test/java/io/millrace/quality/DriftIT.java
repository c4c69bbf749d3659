package io.millrace.quality;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.quality.Verdict.Outcome;
import io.millrace.quality.Verdict.RuleResult;
import io.millrace.quality.Verdict.Status;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// A history of runs in a Deequ repository, and runs that are held against it.
@ExtendWith(SparkExtension.class)
class DriftIT {
    private static final int ROWS = 40;
    private static final List<Rule> RULES = RulesFile.parse("drift.yaml", """
            version: 1
            rules:
              - {name: halved, level: warn, drift: {mean: repetition, strategy: relative-change, at-least: 0.5, at-most: 2}}
              - {name: shifted, level: warn, drift: {max: output_chars, strategy: absolute-change, at-least: -20, at-most: 20}}
              - name: unlikely
                level: fail-run
                where: status = 'ok'
                drift: {mean: mean_logprob, strategy: batch-normal, at-least: -3, at-most: 3, min-runs: 4}
              - {name: strange, level: warn, drift: {sum: output_chars, strategy: online-normal, at-least: -2, at-most: 2}}
              - {name: share, level: warn, drift: {share: finish_reason = 'stop', strategy: absolute-change, at-least: -0.05}}
            """);

    @TempDir
    private Path folder = Path.of("");

    private final SparkSession spark;

    DriftIT(SparkSession spark) {
        this.spark = spark;
    }

    /// What a run's rows are like.
    ///
    /// @param repetition of each row
    /// @param logprob of each row
    /// @param chars of each answer
    /// @param cut rows that were cut off
    private record Kind(double repetition, double logprob, int chars, int cut) {}

    private static Kind quiet(int run) {
        return new Kind(0.1 + run % 3 / 100.0, -1 - run % 2 / 100.0, 100 + run % 4, run % 2);
    }

    private Verdict run(int run, Kind kind, Map<String, String> tags) {
        List<ObjectNode> rows = SampleRows.clean(ROWS);
        for (int row = 0; row < ROWS; row++) {
            rows.get(row)
                    .put("repetition", kind.repetition())
                    .put("mean_logprob", kind.logprob())
                    .put("output_chars", kind.chars())
                    .put("finish_reason", row < kind.cut() ? "length" : "stop");
        }
        Path output = SampleRows.write(spark, rows, folder.resolve("run-" + run + "-" + System.nanoTime()));
        return new Audit(spark, InstantSource.system())
                .run(
                        new AuditRequest(
                                List.of(output.toString()),
                                null,
                                OptionalLong.of(ROWS),
                                Map.of(),
                                List.of(),
                                1,
                                folder.resolve("verdict.json"),
                                null,
                                new AuditRequest.History(
                                        folder.resolve("metrics.json").toString(), OptionalLong.of(1000L + run)),
                                null,
                                tags),
                        RULES);
    }

    private static Map<String, String> tags(String model, int run) {
        return Map.of("model", model, "dataset", "stories", "run_id", "run-" + run);
    }

    private static List<Status> statuses(Verdict verdict) {
        return verdict.rules().stream().map(RuleResult::status).toList();
    }

    @Test
    void quietHistory_staysQuiet_andPlantedDriftFires() {
        for (int run = 0; run < 8; run++) {
            Verdict verdict = run(run, quiet(run), tags("a", run));

            assertThat(statuses(verdict)).as("run " + run).doesNotContain(Status.FAIL);
            assertThat(verdict.rules().getFirst().status()).isEqualTo(run == 0 ? Status.NOT_JUDGED : Status.PASS);
            assertThat(verdict.rules().get(2).status()).isEqualTo(run < 4 ? Status.NOT_JUDGED : Status.PASS);
            assertThat(verdict.outcome()).isEqualTo(Outcome.PASS);
        }

        Verdict drifted = run(8, new Kind(0.3, -1.5, 180, 5), tags("a", 8));

        assertThat(statuses(drifted)).containsOnly(Status.FAIL);
        assertThat(drifted.outcome()).isEqualTo(Outcome.FAIL);
        assertThat(drifted.rules().getFirst().message())
                .isEqualTo("expected mean of repetition, divided by that of the run before: between 0.5 and 2; got 0.3"
                        + " after ..., 0.1, 0.11, 0.12, 0.1, 0.11");

        // the same run judged again, its rows mended: its own bad figures are not held against it
        assertThat(statuses(run(8, quiet(8), tags("a", 8)))).containsOnly(Status.PASS);
        // and they are gone
        assertThat(statuses(run(9, quiet(9), tags("a", 9)))).containsOnly(Status.PASS);
        // what another model did says nothing of this one
        assertThat(statuses(run(10, new Kind(0.3, -1.5, 180, 5), tags("b", 10))))
                .containsOnly(Status.NOT_JUDGED);
    }

    @Test
    void withoutRepository_isNotJudged() {
        Path output = SampleRows.write(spark, SampleRows.clean(ROWS), folder.resolve("output"));
        Verdict verdict = new Audit(spark, InstantSource.system())
                .run(
                        new AuditRequest(
                                List.of(output.toString()),
                                null,
                                OptionalLong.of(ROWS),
                                Map.of(),
                                List.of(),
                                1,
                                folder.resolve("verdict.json"),
                                null,
                                null,
                                null,
                                Map.of()),
                        RULES);

        assertThat(statuses(verdict)).containsOnly(Status.NOT_JUDGED);
        assertThat(verdict.rules().getFirst().message()).isEqualTo("no metrics repository was given");
    }
}
