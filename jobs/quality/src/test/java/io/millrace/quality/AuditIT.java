package io.millrace.quality;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.quality.Verdict.FailingRow;
import io.millrace.quality.Verdict.Outcome;
import io.millrace.quality.Verdict.RuleResult;
import io.millrace.quality.Verdict.Status;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(SparkExtension.class)
class AuditIT {

    private static final int ROWS = 40;

    @TempDir
    private Path folder = Path.of("");

    private final SparkSession spark;

    AuditIT(SparkSession spark) {
        this.spark = spark;
    }

    @Test
    void run_brokenPredicate_namesTheRowsInOrder() {
        List<ObjectNode> rows = SampleRows.clean(ROWS);
        rows.get(30).put("template_leak", true).put("output_text", "<think>\u0007 first " + "x".repeat(500));
        rows.get(4).put("template_leak", true);

        RuleResult rule = only(rows, "compliance: {predicate: not template_leak}");

        assertThat(rule.status()).isEqualTo(Status.FAIL);
        assertThat(rule.failingRows()).isEqualTo(2);
        assertThat(rule.actual()).isEqualTo(38 / 40.0);
        assertThat(rule.message())
                .isEqualTo("expected not template_leak in a share of at least 1; got 0.95; 2 rows break it");
        assertThat(rule.examples().stream().map(FailingRow::requestId))
                .containsExactly(
                        rows.get(4).get("request_id").textValue(),
                        rows.get(30).get("request_id").textValue());
        FailingRow second = rule.examples().get(1);
        assertThat(second.file()).isEqualTo("stories/b.parquet");
        assertThat(second.row()).isEqualTo(10);
        assertThat(second.excerpt()).startsWith("<think>· first xxx").hasSize(160);
    }

    @Test
    void run_manyBrokenRows_countsAllAndShowsTwenty() {
        List<ObjectNode> rows = SampleRows.clean(ROWS);
        rows.subList(0, 25).forEach(row -> row.putNull("custom_id"));

        RuleResult rule = only(rows, "complete: custom_id");

        assertThat(rule.failingRows()).isEqualTo(25);
        assertThat(rule.examples()).hasSize(Findings.EXAMPLES);
    }

    @Test
    void run_doubledKey_namesEveryRowThatHasIt() {
        List<ObjectNode> rows = SampleRows.clean(ROWS);
        rows.get(3).set("request_id", rows.get(9).get("request_id"));

        RuleResult rule = only(rows, "unique: request_id");

        assertThat(rule.failingRows()).isEqualTo(2);
        assertThat(rule.examples().stream().map(FailingRow::file)).containsOnly("stories/a.parquet");
        assertThat(rule.examples()).extracting(FailingRow::row).containsExactly(1L, 4L);
    }

    @Test
    void run_repeatedText_namesTheRows() {
        List<ObjectNode> rows = SampleRows.clean(ROWS);
        rows.subList(0, 3).forEach(row -> row.put("output_text", "same"));

        RuleResult rule = only(rows, "distinct: {columns: output_text, at-least: 0.99}");

        assertThat(rule.actual()).isEqualTo(38 / 40.0);
        assertThat(rule.failingRows()).isEqualTo(3);
        assertThat(rule.examples()).extracting(FailingRow::excerpt).containsOnly("same");
    }

    @Test
    void run_twoModels_showsTheValuesAndTheFewerRows() {
        List<ObjectNode> rows = SampleRows.clean(ROWS);
        ((ObjectNode) rows.get(7).get("engine")).put("model", "other");

        RuleResult rule = only(rows, "single-valued: [engine_model, engine_revision]");

        assertThat(rule.message()).contains("stories-v4 + 1 in 39 rows, other + 1 in 1 rows; 1 row breaks it");
        assertThat(rule.examples())
                .extracting(FailingRow::requestId)
                .containsExactly(rows.get(7).get("request_id").textValue());
    }

    @Test
    void run_quantileOutOfBounds_showsRowsBeyondIt() {
        List<ObjectNode> rows = SampleRows.clean(ROWS);
        rows.subList(0, 4).forEach(row -> row.put("repetition", 0.9));

        RuleResult exact = only(rows, "quantile: {column: repetition, q: 0.95, at-most: 0.2}");
        RuleResult approximate = only(
                rows, "quantile: {column: repetition, q: 0.95, at-most: 0.2, relative-error: 0.01}", "approximate");

        assertThat(exact.actual()).isEqualTo(0.9);
        assertThat(exact.failingRows()).isEqualTo(4);
        assertThat(approximate.actual()).isEqualTo(0.9);
    }

    @Test
    void run_meanOutOfBounds_hasNoRowsToName() {
        RuleResult rule = only(SampleRows.clean(ROWS), "mean: {column: rougeL, at-least: 0.5}");

        assertThat(rule.status()).isEqualTo(Status.FAIL);
        assertThat(rule.actual()).isCloseTo(0.35, org.assertj.core.data.Offset.offset(1e-12));
        assertThat(rule.failingRows()).isNull();
        assertThat(rule.message()).startsWith("expected mean of rougeL: at least 0.5; got 0.35");
    }

    @Test
    void run_nullPredicate_countsAsBroken() {
        List<ObjectNode> rows = SampleRows.clean(ROWS);
        rows.forEach(row -> row.putNull("repetition"));

        RuleResult rule = only(rows, "compliance: {predicate: repetition < 0.5}");

        assertThat(rule.actual()).isZero();
        assertThat(rule.failingRows()).isEqualTo(ROWS);
    }

    @Test
    void run_noRowMeetsWhere_isNotJudged() {
        RuleResult rule =
                only(SampleRows.clean(ROWS), "mean: {column: repetition, at-most: 1}, where: \"status = 'x'\"");

        assertThat(rule.status()).isEqualTo(Status.NOT_JUDGED);
        assertThat(rule.message()).isEqualTo("no row meets status = 'x'");
    }

    @Test
    void run_rowsWithoutAValue_fails() {
        List<ObjectNode> rows = SampleRows.clean(ROWS);
        rows.forEach(row -> row.putNull("repetition"));

        RuleResult rule = only(rows, "mean: {column: repetition, at-most: 1}, where: \"status = 'ok'\"");

        assertThat(rule.status()).isEqualTo(Status.FAIL);
        assertThat(rule.actual()).isNull();
        assertThat(rule.message()).contains("over the rows where status = 'ok'; got nothing to measure");
    }

    @Test
    void run_wordsAndRegexWithQuotes_areTakenLiterally() {
        List<ObjectNode> rows = SampleRows.clean(ROWS);
        rows.forEach(row -> row.put("custom_id", "it's \\ 5"));

        assertThat(only(rows, "contained-in: {column: custom_id, values: [\"it's \\\\ 5\"]}")
                        .status())
                .isEqualTo(Status.PASS);
        assertThat(only(rows, "pattern: {column: custom_id, regex: \"^it's \\\\\\\\ \\\\d$\"}", "regex")
                        .status())
                .isEqualTo(Status.PASS);
        assertThat(only(rows, "pattern: {column: custom_id, regex: '^\\d'}", "not")
                        .status())
                .isEqualTo(Status.FAIL);
    }

    @Test
    void run_wrongCounts_namesFilesOnBothSides() {
        List<ObjectNode> rows = SampleRows.clean(ROWS);
        rows.removeFirst();
        ((ObjectNode) rows.getLast().get("input_ref")).put("file", "stories/c.parquet");

        RuleResult rule = only(rows, "rows-per-input-file: {equals: input}");

        assertThat(rule.actual()).isEqualTo(3);
        assertThat(rule.message())
                .isEqualTo("3 file(s) with a wrong count: stories/a.parquet: expected 20 rows, got 19;"
                        + " stories/b.parquet: expected 20 rows, got 19; stories/c.parquet: not planned, got 1 rows");
    }

    @Test
    void run_inputGiven_isCountedAndHeldAgainstOutputAndPlan() {
        // two samples of each of 20 input rows
        Path input = folder.resolve("in put");
        spark.range(20).coalesce(1).write().parquet(input.toString());
        String file = new org.apache.hadoop.fs.Path(java.net.URI.create(
                        spark.read().parquet(input.toString()).inputFiles()[0]))
                .toString();
        List<ObjectNode> rows = SampleRows.clean(ROWS);
        rows.forEach(row -> ((ObjectNode) row.get("input_ref")).put("file", file));

        assertThat(conserved(rows, input, Map.of()).status()).isEqualTo(Status.PASS);
        assertThat(conserved(rows, input, Map.of(file, 40L)).status()).isEqualTo(Status.PASS);
        assertThat(conserved(rows, input, Map.of(file, 41L)).message())
                .endsWith(file + ": planned 41 rows, the input has 40, got 40");
        rows.getLast().put("status", "lost");
        assertThat(conserved(rows, input, Map.of(file, 40L)).status()).isEqualTo(Status.FAIL);
        rows.removeLast();
        assertThat(conserved(rows, input, Map.of()).message()).endsWith(file + ": expected 40 rows, got 39");
    }

    private RuleResult conserved(List<ObjectNode> rows, Path input, Map<String, Long> planned) {
        Path output = SampleRows.write(spark, rows, folder.resolve("output-" + rows.hashCode() + planned.hashCode()));
        List<Rule> rules = RulesFile.parse(
                "one.yaml", "version: 1\nrules: [{name: one, level: warn, rows-per-input-file: {equals: input}}]\n");
        return audit().run(
                        new AuditRequest(
                                List.of(output.toString()),
                                null,
                                OptionalLong.of(ROWS),
                                planned,
                                List.of(input.toString()),
                                2,
                                folder.resolve("verdict.json"),
                                null,
                                null,
                                null,
                                Map.of()),
                        rules)
                .rules()
                .getFirst();
    }

    @Test
    void run_withoutPlan_saysThatCountsWereNotJudged() {
        Path output = SampleRows.write(spark, SampleRows.clean(ROWS), folder.resolve("output"));

        Verdict verdict = audit().run(request(output, null, OptionalLong.empty(), Map.of()));

        assertThat(verdict.outcome()).isEqualTo(Outcome.PASS);
        assertThat(verdict.message()).contains("not judged: rows-conserved, rows-conserved-by-file");
    }

    @Test
    void run_noRowsAsPlanned_passesAndNoRowsUnplannedFails() {
        Path output = SampleRows.write(spark, List.of(), folder.resolve("output"));

        assertThat(audit().run(request(output, null, OptionalLong.of(0), Map.of()))
                        .outcome())
                .isEqualTo(Outcome.PASS);
        assertThat(audit().run(request(output, null, OptionalLong.of(3), Map.of()))
                        .outcome())
                .isEqualTo(Outcome.FAIL);
    }

    @Test
    void run_quarantineRule_setsRowsAsideAndPasses() {
        List<ObjectNode> rows = SampleRows.clean(2000);
        rows.get(5).put("repetition", 0.9).put("replacement_chars", 0.5);
        rows.get(6).put("repetition", 0.9);
        Path output = SampleRows.write(spark, rows, folder.resolve("output"));
        Path aside = folder.resolve("quarantine");

        Verdict verdict = audit().run(new AuditRequest(
                List.of(output.toString()),
                null,
                OptionalLong.of(2000),
                SampleRows.byFile(2000),
                List.of(),
                1,
                folder.resolve("v.json"),
                null,
                null,
                aside.toString(),
                Map.of()));

        assertThat(verdict.outcome()).isEqualTo(Outcome.PASS);
        assertThat(verdict.level()).isEqualTo(Level.QUARANTINE);
        assertThat(verdict.quarantinedRows()).isEqualTo(2);
        List<Row> written =
                spark.read().parquet(aside.toString()).orderBy("request_id").collectAsList();
        assertThat(written.get(0).<String>getList(written.get(0).fieldIndex("rules")))
                .containsExactly("garbled-rows", "looping-rows");
        assertThat(written.get(1).<String>getList(written.get(1).fieldIndex("rules")))
                .containsExactly("looping-rows");
        assertThat(written).extracting(row -> row.<String>getAs("output_text")).doesNotContainNull();
        for (Row row : written) {
            String file = row.getAs("output_file");
            assertThat(spark.read()
                            .parquet(output.resolve(file).toString())
                            .filter("request_id = '" + row.getAs("request_id") + "'")
                            .count())
                    .isEqualTo(1);
        }
    }

    @Test
    void run_metricsAsked_writesFileAndRepository() throws IOException {
        Path output = SampleRows.write(spark, SampleRows.clean(ROWS), folder.resolve("output"));
        Path metrics = folder.resolve("metrics.json");
        Path repository = folder.resolve("repository.json");
        AuditRequest request = new AuditRequest(
                List.of(output.toString()),
                null,
                OptionalLong.of(ROWS),
                Map.of(),
                List.of(),
                1,
                folder.resolve("v.json"),
                metrics,
                new AuditRequest.History(repository.toString(), OptionalLong.empty()),
                null,
                Map.of("run", "7"));

        audit().run(request);
        audit().run(request);

        JsonNode measured = new ObjectMapper().readTree(Files.readString(metrics));
        assertThat(measured.findValuesAsText("name")).contains("Size", "Mean", "Compliance");
        assertThat(measured.findValuesAsText("instance")).contains("rougeL", "ok-share");
        JsonNode history = new ObjectMapper().readTree(Files.readString(repository));
        assertThat(history).hasSize(2);
        assertThat(history.findPath("tags").path("run").textValue()).isEqualTo("7");
    }

    @Test
    void run_misfitsBetweenRulesAndOutput_reportsAll() {
        Path output = SampleRows.write(spark, SampleRows.clean(4), folder.resolve("output"));
        List<Rule> rules = RulesFile.parse("misfit.yaml", """
                version: 1
                rules:
                  - {name: no-column, level: warn, complete: answer}
                  - {name: no-such, level: warn, compliance: {predicate: "tokens > 0"}}
                  - {name: no-sql, level: warn, compliance: {predicate: "a >"}}
                  - {name: no-boolean, level: warn, compliance: {predicate: "seed + 1"}}
                  - {name: no-number, level: warn, mean: {column: output_text, at-most: 1}}
                  - {name: no-where, level: warn, complete: seed, where: "nowhere = 1"}
                """);

        assertThatThrownBy(() -> audit().run(request(output, null, OptionalLong.of(4), Map.of()), rules))
                .isInstanceOf(AuditException.class)
                .hasMessageStartingWith("6 problem(s) between rules and output")
                .hasMessageContaining("rule no-column (line 3): the output has no column answer, it has [request_id,")
                .hasMessageContaining("rule no-such (line 4): predicate \"tokens > 0\": ")
                .hasMessageContaining("rule no-sql (line 5): predicate \"a >\": ")
                .hasMessageContaining("rule no-boolean (line 6): predicate \"seed + 1\": ")
                .hasMessageContaining("rule no-number (line 7): expected a number in column output_text, got string")
                .hasMessageContaining("rule no-where (line 8): where \"nowhere = 1\": ");
    }

    @Test
    void run_missingOutput_saysWhich() {
        Path nowhere = folder.resolve("nowhere");

        assertThatThrownBy(() -> audit().run(request(nowhere, null, OptionalLong.of(1), Map.of())))
                .isInstanceOf(AuditException.class)
                .hasMessageContaining("nowhere")
                .hasMessageContaining("cannot be read as Parquet");
    }

    @Test
    void run_noParquet_saysWhich() throws IOException {
        Path file = Files.writeString(folder.resolve("part-0.parquet"), "this is no Parquet file, not even remotely");

        assertThatThrownBy(() -> audit().run(request(file, null, OptionalLong.of(1), Map.of())))
                .isInstanceOf(AuditException.class)
                .hasMessageContaining("part-0.parquet");
    }

    @Test
    void run_writtenBySpark42_isReadInFull() throws URISyntaxException {
        Path file = Path.of(Objects.requireNonNull(AuditIT.class.getResource("/parquet/spark-4.2.0.zstd.parquet"))
                .toURI());
        List<Rule> rules = RulesFile.starter().stream()
                .filter(rule -> !rule.name().equals("ok-share"))
                .toList();

        Verdict verdict = audit().run(request(file, null, OptionalLong.of(8), Map.of("stories/a.parquet", 8L)), rules);

        assertThat(verdict.rules())
                .allSatisfy(rule -> assertThat(rule.status()).as(rule.message()).isIn(Status.PASS, Status.NOT_JUDGED));
        assertThat(verdict.message()).contains("gate passed: 26 rules over 8 rows");
        // rows of completion.v2 are rows still
        assertThat(spark.read().parquet(file.toString()).schema().fieldNames())
                .hasSizeGreaterThan(20)
                .isSubsetOf(SampleRows.schema().fieldNames());
    }

    @Test
    void run_damagedPages_isAnErrorAndNoFailedRule() throws IOException {
        Path output = SampleRows.write(spark, SampleRows.clean(ROWS), folder.resolve("output"));
        try (var files = Files.list(output)) {
            Path part = files.filter(file -> file.toString().endsWith(".parquet"))
                    .findFirst()
                    .orElseThrow();
            byte[] bytes = Files.readAllBytes(part);
            // the footer stays whole, the pages before it do not; its length stands before the last four
            // bytes
            int footer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(bytes.length - 8);
            Arrays.fill(bytes, 4, bytes.length - 8 - footer, (byte) 0x5A);
            Files.write(part, bytes);
            Files.deleteIfExists(part.resolveSibling("." + part.getFileName() + ".crc"));
        }

        assertThatThrownBy(() -> audit().run(request(output, null, OptionalLong.of(ROWS), Map.of())))
                .isInstanceOf(AuditException.class)
                .hasMessageContaining("cannot be measured")
                .hasMessageContaining(".zstd.parquet")
                .hasMessageNotContaining("\tat ");
        assertThat(audit().judge(request(output, null, OptionalLong.of(ROWS), Map.of()))
                        .outcome())
                .isEqualTo(Outcome.ERROR);
    }

    @Test
    void flatRows_sameFlatName_isRefused() {
        assertThatThrownBy(() -> FlatRows.of(spark.sql("select named_struct('b', 1) as a, 2 as a_b")))
                .isInstanceOf(AuditException.class)
                .hasMessage("output: columns `a`.`b` and `a_b` both flatten to a_b");
    }

    @Test
    void verdictFile_hasEveryKeyOfTheExchange() throws IOException {
        List<ObjectNode> rows = SampleRows.clean(ROWS);
        rows.get(2).put("template_leak", true);
        Path output = SampleRows.write(spark, rows, folder.resolve("output"));
        Verdict verdict = audit().run(request(output, null, OptionalLong.of(ROWS), SampleRows.byFile(ROWS)));
        Path file = folder.resolve("deep").resolve("verdict.json");

        VerdictFile.write(file, verdict, Duration.ofMillis(12), Map.of("spark", "x"));

        JsonNode root = new ObjectMapper().readTree(Files.readString(file));
        assertThat(root.path("verdict").textValue()).isEqualTo("fail");
        assertThat(root.path("level").textValue()).isEqualTo("fail-run");
        assertThat(root.path("message").textValue()).contains("fail-run: template-leak");
        assertThat(root.path("rows").intValue()).isEqualTo(ROWS);
        assertThat(root.path("duration_ms").intValue()).isEqualTo(12);
        assertThat(root.path("versions").path("spark").textValue()).isEqualTo("x");
        JsonNode rule = null;
        for (JsonNode node : root.path("rules")) {
            rule = node.path("name").textValue().equals("template-leak") ? node : rule;
        }
        assertThat(rule).isNotNull();
        assertThat(rule.fieldNames())
                .toIterable()
                .containsExactly(
                        "name",
                        "level",
                        "description",
                        "status",
                        "expected",
                        "actual",
                        "message",
                        "failing_rows",
                        "retry",
                        "examples");
        JsonNode example = rule.path("examples").path(0);
        assertThat(example.fieldNames())
                .toIterable()
                .containsExactly("request_id", "input_ref", "sample_idx", "status", "excerpt");
        assertThat(example.path("input_ref").path("file").textValue()).isEqualTo("stories/a.parquet");
        try (var files = Files.list(file.getParent())) {
            assertThat(files).containsExactly(file);
        }
    }

    private Audit audit() {
        return new Audit(spark, InstantSource.system());
    }

    private RuleResult only(List<ObjectNode> rows, String rule) {
        return only(rows, rule, "output");
    }

    private RuleResult only(List<ObjectNode> rows, String rule, String name) {
        Path output = SampleRows.write(spark, rows, folder.resolve(name));
        List<Rule> rules = RulesFile.parse("one.yaml", "version: 1\nrules: [{name: one, level: warn, " + rule + "}]\n");
        AuditRequest request = request(output, null, OptionalLong.of(ROWS), SampleRows.byFile(ROWS));
        return audit().run(request, rules).rules().getFirst();
    }

    private AuditRequest request(
            Path output, @Nullable Path rules, OptionalLong expectedRows, Map<String, Long> expectedByFile) {
        return new AuditRequest(
                List.of(output.toString()),
                rules,
                expectedRows,
                expectedByFile,
                List.of(),
                1,
                folder.resolve("verdict.json"),
                null,
                null,
                null,
                Map.of());
    }
}
