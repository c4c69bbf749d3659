package io.millrace.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// Rows that the gate sets aside, computed again: with the real auditor in a process of its own, and an
/// engine whose answers loop as long as it is too cold.
class QuarantineIT {
    private static final String LOCAL = "local[2,2]";
    private static final int ROWS = 45;
    private static final String RULES = """
            version: 1
            rules:
              - {name: rows-conserved, level: fail-run, size: {equals: input}}
              - {name: rows-conserved-by-file, level: fail-run, rows-per-input-file: {equals: input}}
              - {name: request-id-unique, level: fail-run, unique: request_id}
              - {name: provenance-single, level: fail-run, single-valued: [engine_model, config_fingerprint]}
              - name: looping-rows
                level: quarantine
                compliance: {predicate: repetition <= 0.5}
                retry: [{temperature: 0.5, max-tokens: 48}, {temperature: 0.9}]
              - name: forbidden-word
                level: quarantine
                compliance: {predicate: "coalesce(output_text, '') not like 'loop loop%'"}
              - name: no-way-out
                level: quarantine
                compliance: {predicate: "coalesce(output_text, '') <> 'taboo'"}
            """;

    @TempDir
    private Path dir = Path.of("");

    private Path out = dir;
    private Path rules = dir;
    private FakeJob job = new FakeJob(dir);

    @BeforeEach
    void setUp() throws IOException {
        Path auditor = Millrace.home().auditorTarget();
        assumeTrue(Files.exists(auditor.resolve("classpath.txt")), () -> "the auditor is not built in " + auditor);
        out = dir.resolve("out");
        rules = Files.writeString(dir.resolve("rules.yaml"), RULES);
        job = new FakeJob(out);
    }

    /// Lines of which the rows 3, 14, 15 and 37 are not as the rules want them: the first recovers when it is
    /// retried once, the second when it is twice, the third never, and for the fourth no rule gives a retry.
    private Path input(String ofFirst) throws IOException {
        List<String> lines = new ArrayList<>(
                IntStream.range(0, ROWS).mapToObj(row -> "row " + row).toList());
        lines.set(3, "LOOPS-BELOW=0.4 " + ofFirst);
        lines.set(14, "LOOPS-BELOW=0.8");
        lines.set(15, "LOOPS-BELOW=9");
        lines.set(37, "taboo");
        return Files.write(dir.resolve("in.txt"), lines);
    }

    private List<String> settings() {
        return List.of("-c", "plan.shard-rows=10", "--rules", rules.toString());
    }

    private int run(Path input, String... more) {
        List<String> args = new ArrayList<>(settings());
        args.addAll(Arrays.asList(more));
        return job.runGated(LOCAL, input.toString(), args.toArray(String[]::new));
    }

    private JsonNode manifest() throws IOException {
        return new ObjectMapper().readTree(out.resolve("_millrace/run.json").toFile());
    }

    private List<Row> quarantine() {
        return FakeJob.withSpark(spark -> spark.read()
                .parquet(out.resolve("_millrace/quarantine").toString())
                .orderBy("input_ref")
                .collectAsList());
    }

    /// `row: rules`, with the retry that the row has had.
    private static String setAside(Row row) {
        return row.<Row>getAs("input_ref").getLong(2) + ": " + String.join(",", row.getList(row.fieldIndex("rules")))
                + retry(row);
    }

    private static String retry(Row row) {
        @Nullable Row retry = row.getAs("retry");
        return retry == null ? "" : " " + retry.getInt(0) + " " + retry.getString(1) + " " + retry.getString(2);
    }

    private void assertVerifies() {
        StringWriter text = new StringWriter();
        CommandLine commandLine = Millrace.commandLine();
        commandLine.setOut(new PrintWriter(text));
        assertThat(commandLine.execute("verify", out.toString(), "--master", "local[2]"))
                .as(text.toString())
                .isEqualTo(ExitCode.OK);
    }

    @Test
    void gateRetries_rowsRecoverOrStay_andAllElseIsAsItWas() throws IOException {
        Path input = input("");
        assertThat(run(input)).as(job.err()).isEqualTo(ExitCode.OK);
        assertThat(job.out()).contains("rows quarantined   4\n").doesNotContain("rows retried");
        assertThat(manifest().at("/gate/quarantined").asInt()).isEqualTo(4);
        assertThat(quarantine())
                .extracting(QuarantineIT::setAside)
                .containsExactly(
                        "3: forbidden-word,looping-rows",
                        "14: forbidden-word,looping-rows",
                        "15: forbidden-word,looping-rows",
                        "37: no-way-out");
        List<Row> before = job.rows();

        int exit = run(input, "--gate-retries", "2");

        assertThat(exit).as(job.err()).isEqualTo(ExitCode.QUARANTINED);
        assertThat(job.out()).contains("rows quarantined   2\n", "rows retried       3  (2 recovered)\n");
        assertThat(job.err())
                .contains(
                        "retry 1: 4 quarantined rows, of which 3 are computed again",
                        "retry 1: 3 rows retried; now 1 recovered, 3 quarantined")
                .contains("retry 2: 2 rows retried; now 2 recovered, 2 quarantined");
        assertThat(quarantine())
                .extracting(QuarantineIT::setAside)
                .containsExactly(
                        "15: forbidden-word,looping-rows 2 looping-rows,forbidden-word {\"temperature\":0.9}",
                        "37: no-way-out");
        assertThat(manifest().at("/retried").asInt()).isEqualTo(3);
        assertThat(manifest().at("/gate/recovered").asInt()).isEqualTo(2);
        assertThat(manifest().at("/retries").findValuesAsText("rows")).containsExactly("3", "2");
        assertThat(manifest()
                        .at("/retries/0/parameters/looping-rows/0/max-tokens")
                        .asInt())
                .isEqualTo(48);
        List<Row> after = job.rows();
        for (int row = 0; row < ROWS; row++) {
            boolean retried = row == 3 || row == 14 || row == 15;
            assertThat(after.get(row).equals(before.get(row))).as("row " + row).isEqualTo(!retried);
            assertThat(after.get(row).<String>getAs("request_id"))
                    .isEqualTo(before.get(row).getAs("request_id"));
            assertThat(after.get(row).<Long>getAs("seed").equals(before.get(row).getAs("seed")))
                    .isEqualTo(!retried);
        }
        assertThat(retry(after.get(3)))
                .isEqualTo(" 1 looping-rows,forbidden-word {\"max-tokens\":48,\"temperature\":0.5}");
        assertThat(retry(after.get(14))).isEqualTo(" 2 looping-rows,forbidden-word {\"temperature\":0.9}");
        assertVerifies();

        String digest = manifest().at("/digest").asText();
        assertThat(run(input, "--no-gate")).as(job.err()).isEqualTo(ExitCode.OK);
        assertThat(manifest().at("/digest").asText()).isEqualTo(digest);
        assertThat(manifest().at("/retried").asInt()).isEqualTo(3);
    }

    @Test
    void retryQuarantined_driverKilledInTheMiddle_goesOnWithWhatIsLeft() throws IOException, InterruptedException {
        Path reached = dir.resolve("reached");
        Path input = input("HANGS-WHEN-HOT=" + reached);
        try (JavaProcesses processes = new JavaProcesses(dir)) {
            List<String> args = new ArrayList<>(job.arguments(LOCAL, input.toString()));
            args.addAll(settings());
            args.add("--retry-quarantined");
            Process driver = processes.startMillrace("killed", List.of(), List.of(), args);
            JavaProcesses.await(() -> Files.exists(reached) || !driver.isAlive(), () -> processes.said("killed"));
            assertThat(driver.destroyForcibly().waitFor())
                    .as(processes.said("killed"))
                    .isEqualTo(128 + 9);
        }
        assertThat(manifest().at("/state").asText()).isEqualTo("running");
        assertThat(manifest().at("/retries/0/state").asText()).isEqualTo("running");
        assertThat(job.rows()).hasSize(ROWS);

        assertThat(run(input, "--retry-quarantined")).as(job.err()).isEqualTo(ExitCode.QUARANTINED);

        assertThat(manifest().at("/retries")).hasSize(2);
        assertThat(manifest().at("/retried").asInt()).isEqualTo(3);
        assertThat(job.rows().stream().map(QuarantineIT::retry).filter(retry -> !retry.isEmpty()))
                .hasSize(3)
                .allMatch(retry -> retry.startsWith(" 1 "));
        assertThat(quarantine())
                .extracting(row -> row.<Row>getAs("input_ref").getLong(2))
                .containsExactly(14L, 15L, 37L);
        assertVerifies();
    }
}
