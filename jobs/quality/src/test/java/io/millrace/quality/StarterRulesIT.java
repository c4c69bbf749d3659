package io.millrace.quality;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.quality.Verdict.Outcome;
import io.millrace.quality.Verdict.RuleResult;
import io.millrace.quality.Verdict.Status;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every starter rule passes a sound run and fails on the fault it is there for.
@ExtendWith(SparkExtension.class)
class StarterRulesIT {

    private static final int ROWS = 400;

    /// @param rules that must fail
    record Fault(String name, Set<String> rules, Consumer<List<ObjectNode>> plant) {

        @Override
        public String toString() {
            return name;
        }
    }

    static List<Fault> faults() {
        return List.of(
                new Fault("a row lost", Set.of("rows-conserved", "rows-conserved-by-file"), List::removeLast),
                new Fault(
                        "a row lost here, another invented there",
                        Set.of("rows-conserved-by-file"),
                        rows -> object(rows.get(0), "input_ref")
                                .put("file", "stories/b.parquet")
                                .put("row", 100_000)),
                new Fault("no request id", Set.of("request-id-complete"), rows -> {
                    rows.get(1).putNull("request_id");
                    rows.get(2).putNull("request_id");
                }),
                new Fault(
                        "a request id twice",
                        Set.of("request-id-unique"),
                        rows -> rows.get(3).set("request_id", rows.get(4).get("request_id"))),
                new Fault(
                        "an input row answered twice",
                        Set.of("input-row-answered-once"),
                        rows -> rows.get(5).set("input_ref", rows.get(7).get("input_ref"))),
                new Fault(
                        "an unknown status",
                        Set.of("status-known", "finish-reason-fits-status"),
                        rows -> rows.get(8).put("status", "fine")),
                new Fault(
                        "no status",
                        Set.of("status-complete", "error-explained", "finish-reason-fits-status"),
                        rows -> rows.get(9).putNull("status")),
                new Fault(
                        "too many errors",
                        Set.of("ok-share"),
                        rows -> first(rows, 3).forEach(StarterRulesIT::fail)),
                new Fault(
                        "an error without a reason",
                        Set.of("error-explained"),
                        rows -> rows.get(399).putNull("error")),
                new Fault(
                        "an unknown finish reason",
                        Set.of("finish-reason-known", "finish-reason-fits-status"),
                        rows -> rows.get(10).put("finish_reason", "tired")),
                new Fault(
                        "an answer that did not finish",
                        Set.of("finish-reason-fits-status"),
                        rows -> rows.get(11).putNull("finish_reason")),
                new Fault(
                        "answers cut off",
                        Set.of("truncated"),
                        rows -> first(rows, 12).forEach(row -> row.put("finish_reason", "length"))),
                new Fault("empty answers", Set.of("empty-answers"), rows -> {
                    rows.get(12).put("output_text", " \n\t");
                    rows.get(13).put("output_text", "");
                }),
                new Fault(
                        "a template marker in an answer",
                        Set.of("template-leak"),
                        rows -> rows.get(14).put("template_leak", true)),
                new Fault(
                        "garbled answers",
                        Set.of("garbled"),
                        rows -> rows.get(15).put("replacement_chars", 0.03)),
                new Fault(
                        "a row of garbage",
                        Set.of("garbled", "garbled-rows"),
                        rows -> rows.get(16).put("replacement_chars", 0.5)),
                new Fault(
                        "answers that repeat themselves",
                        Set.of("repetition"),
                        rows -> first(rows, 8).forEach(row -> row.put("repetition", 0.3))),
                new Fault("a loop", Set.of("looping-rows"), rows -> rows.get(17).put("repetition", 0.97)),
                new Fault(
                        "answers as long as their source",
                        Set.of("length-ratio"),
                        rows -> first(rows, 30).forEach(row -> row.put("length_ratio", 1.1))),
                new Fault(
                        "answers in another language",
                        Set.of("language-kept"),
                        rows -> first(rows, 60).forEach(row -> row.put("language", "cmn"))),
                new Fault(
                        "answers in JSON",
                        Set.of("prose"),
                        rows -> first(rows, 5).forEach(row -> row.put("json_valid", true))),
                new Fault(
                        "answers that were guessed",
                        Set.of("guessed"),
                        rows -> first(rows, 5).forEach(row -> row.put("mean_logprob", -3.5))),
                new Fault(
                        "the same answer for all",
                        Set.of("exact-duplicates"),
                        rows -> first(rows, 10).forEach(row -> row.put("output_text", "I cannot summarise this."))),
                new Fault(
                        "more cached than there is",
                        Set.of("token-counts"),
                        rows -> rows.get(18).put("cached_tokens", 1000)),
                new Fault(
                        "an answer without tokens",
                        Set.of("answered-rows-have-tokens"),
                        rows -> rows.get(19).put("completion_tokens", 0)),
                new Fault(
                        "rows that do not say what answered",
                        Set.of("provenance-complete", "provenance-single"),
                        rows -> object(rows.get(20), "engine").putNull("weights_sha")),
                new Fault(
                        "two models in one output",
                        Set.of("provenance-single"),
                        rows -> object(rows.get(21), "engine").put("revision", "2")));
    }

    @Test
    void starterRules_soundRun_passesEveryRule(SparkSession spark, @TempDir Path folder) {
        Verdict verdict = audit(spark, folder, SampleRows.clean(ROWS), RulesFile.starter());

        assertThat(verdict.rules())
                .allSatisfy(rule -> assertThat(rule.status())
                        .as(rule.name() + ": " + rule.message())
                        .isEqualTo(Status.PASS));
        assertThat(verdict.outcome()).isEqualTo(Outcome.PASS);
        assertThat(verdict.level()).isEqualTo(Level.NONE);
        assertThat(verdict.rows()).isEqualTo(ROWS);
    }

    @ParameterizedTest
    @MethodSource("faults")
    void starterRules_plantedFault_failsItsRules(Fault fault, SparkSession spark, @TempDir Path folder) {
        List<ObjectNode> rows = SampleRows.clean(ROWS);
        fault.plant().accept(rows);

        List<Rule> rules = RulesFile.starter().stream()
                .filter(rule -> fault.rules().contains(rule.name()))
                .toList();
        Verdict verdict = audit(spark, folder, rows, rules);

        assertThat(verdict.rules().stream()
                        .filter(rule -> rule.status() == Status.FAIL)
                        .map(RuleResult::name))
                .containsExactlyInAnyOrderElementsOf(fault.rules());
        assertThat(verdict.outcome()).isEqualTo(expected(fault));
    }

    @Test
    void faults_together_biteEveryStarterRule() {
        Set<String> bitten = new HashSet<>();
        faults().forEach(fault -> bitten.addAll(fault.rules()));

        assertThat(RulesFile.starter().stream().map(Rule::name)).containsExactlyInAnyOrderElementsOf(bitten);
    }

    private static Outcome expected(Fault fault) {
        boolean fails = RulesFile.starter().stream()
                .anyMatch(rule -> fault.rules().contains(rule.name()) && rule.level() == Level.FAIL_RUN);
        return fails ? Outcome.FAIL : Outcome.PASS;
    }

    private static Verdict audit(SparkSession spark, Path folder, List<ObjectNode> rows, List<Rule> rules) {
        Path output = SampleRows.write(spark, rows, folder.resolve("output"));
        AuditRequest request = new AuditRequest(
                List.of(output.toString()),
                null,
                OptionalLong.of(ROWS),
                SampleRows.byFile(ROWS),
                List.of(),
                1,
                folder.resolve("verdict.json"),
                null,
                null,
                null,
                Map.of());
        return new Audit(spark, InstantSource.system()).run(request, rules);
    }

    private static ObjectNode object(ObjectNode row, String field) {
        return (ObjectNode) row.get(field);
    }

    private static Stream<ObjectNode> first(List<ObjectNode> rows, int count) {
        return new ArrayList<>(rows.subList(0, count)).stream();
    }

    private static void fail(ObjectNode row) {
        row.put("status", "error");
        row.put("finish_reason", "error");
        row.putNull("output_text");
        row.putObject("error")
                .put("class", "DEVICE")
                .put("code", "LOST")
                .put("message", "device lost")
                .put("retryable", true)
                .put("attempts", 3);
    }
}
