package io.millrace.jobs.swebench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millrace.jobs.JobException;
import io.millrace.jobs.SparkSessions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@TestInstance(Lifecycle.PER_CLASS)
class DatasetTest {
    private static final String ROW = """
            {"instance_id": "o__r-%d", "repo": "o/r", "version": 1.5, "base_commit": "c", "patch": "p",
             "test_patch": "t", "problem_statement": "s", "FAIL_TO_PASS": %s, "PASS_TO_PASS": []}""";

    @TempDir
    private Path dir = Path.of("");

    private final SparkSession session = SparkSessions.open("test", "local[1]");

    @AfterAll
    void stop() {
        session.stop();
    }

    private String file(String name, String text) throws IOException {
        return Files.writeString(dir.resolve(name), text).toString();
    }

    private static String row(int number, String failToPass) {
        return ROW.replace("\n", "").replace("%d", Integer.toString(number)).replace("%s", failToPass);
    }

    @Test
    void read_jsonAndLinesAndParquet_sameInstances() throws IOException {
        String array = file("a.json", "[" + row(1, "[\"x\"]") + "," + row(2, "\"[\\\"x\\\"]\"") + "]");
        String lines = file("a.jsonl", row(1, "[\"x\"]") + "\n\n" + row(2, "\"[\\\"x\\\"]\"") + "\n");
        String parquet = dir.resolve("a.parquet").toString();
        session.read().json(lines).coalesce(1).write().parquet(parquet);

        Dataset dataset = Dataset.read(session, List.of(array), List.of());

        assertThat(dataset.instances().keySet()).containsExactly("o__r-1", "o__r-2");
        assertThat(dataset.instances().values())
                .allSatisfy(instance -> assertThat(instance.failToPass()).containsExactly("x"));
        assertThat(dataset.instances().get("o__r-1").version()).isEqualTo("1.5");
        assertThat(Dataset.read(session, List.of(lines), List.of())).isEqualTo(dataset);
        assertThat(Dataset.read(session, List.of(parquet), List.of())).isEqualTo(dataset);
        assertThat(Dataset.read(session, List.of(array, lines), List.of("o__r-2"))
                        .instances()
                        .keySet())
                .containsExactly("o__r-2");
    }

    @Test
    void read_whatIsNoInstance_saysWhatAndWhere() throws IOException {
        String one = file("one.jsonl", row(1, "[\"x\"]"));
        String other = file("other.jsonl", row(1, "[\"y\"]"));
        String lacking = file("lacking.jsonl", "{\"instance_id\": \"i\", \"repo\": \"o/r\"}");
        String cut = file("cut.json", "[{");

        assertThatThrownBy(() -> Dataset.read(session, List.of(one, other), List.of()))
                .isInstanceOf(JobException.class)
                .hasMessageContaining("expected o__r-1 once");
        assertThatThrownBy(() -> Dataset.read(session, List.of(lacking), List.of()))
                .hasMessageContaining("row 0, i: expected a text in base_commit, got null");
        assertThatThrownBy(() -> Dataset.read(session, List.of(cut), List.of()))
                .hasMessageContaining("cut.json: expected to be readable");
        assertThatThrownBy(() -> Dataset.read(session, List.of(one), List.of("o__r-9")))
                .hasMessageContaining("expected [o__r-9]");
    }

    @Test
    void predictions_everyOfficialShape_same() throws IOException {
        Dataset dataset =
                Dataset.read(session, List.of(file("a.jsonl", row(1, "[]") + "\n" + row(2, "[]"))), List.of());
        String first =
                "{\"instance_id\": \"o__r-1\", \"model_name_or_path\": \"a/b\", \"model_patch\": \"p\", \"more\": 1}";
        String second = "{\"instance_id\": \"o__r-2\", \"model_name_or_path\": \"a/b\", \"model_patch\": null}";

        Map<String, Prediction> lines = predictions(file("p.jsonl", first + "\n" + second + "\n"), dataset);

        assertThat(lines.values())
                .containsExactly(new Prediction("o__r-1", "a/b", "p"), new Prediction("o__r-2", "a/b", null));
        assertThat(lines.get("o__r-1").modelFolder()).isEqualTo("a__b");
        assertThat(predictions(file("p.json", "[" + first + "," + second + "]"), dataset))
                .isEqualTo(lines);
        assertThat(predictions(file("k.json", "{\"o__r-1\":" + first + ",\"o__r-2\":" + second + "}"), dataset))
                .isEqualTo(lines);
        assertThat(predictions(
                        file(
                                "own.jsonl",
                                Predictions.line(lines.get("o__r-1")) + Predictions.line(lines.get("o__r-2"))),
                        dataset))
                .isEqualTo(lines);
        assertThat(predictions("gold", dataset).get("o__r-2").patch()).isEqualTo("p");
        assertThatThrownBy(() -> predictions(file("u.jsonl", first.replace("r-1", "r-7")), dataset))
                .hasMessageContaining("expected instances of the dataset, got [o__r-7]");
        assertThatThrownBy(() -> predictions(file("t.jsonl", first + "\n" + first), dataset))
                .hasMessageContaining("expected o__r-1 once, got it twice");
    }

    private static Map<String, Prediction> predictions(String file, Dataset dataset) {
        return Predictions.read(file, dataset, new Configuration(false));
    }

    /// The one published instance that says of no test that it failed before.
    private static final String NOTHING_FAILED_BEFORE = "tokio-rs__axum-1730";

    @ParameterizedTest
    @CsvSource({
        "SWE-bench_Verified__test, 500",
        "SWE-bench_Lite__test, 300",
        "SWE-bench_Lite__dev, 23",
        "SWE-bench_Multilingual__test, 300",
        "SWE-bench__dev, 225"
    })
    void read_officialFile_everyInstance(String name, int instances) {
        Path file = Path.of("../../shared/datasets/swebench", name + ".parquet")
                .toAbsolutePath()
                .normalize();
        assumeTrue(Files.exists(file), () -> "skipped: " + file + " is absent");

        Dataset dataset = Dataset.read(session, List.of(file.toString()), List.of());

        assertThat(dataset.instances()).hasSize(instances);
        assertThat(dataset.instances().values()).allSatisfy(instance -> {
            assertThat(instance.failToPass().isEmpty()).isEqualTo(instance.id().equals(NOTHING_FAILED_BEFORE));
            assertThat(instance.logParser()).isNotNull();
            assertThat(UnifiedDiff.of(instance.patch()).files()).isNotEmpty();
            assertThat(instance.evalScript()).contains(TestLog.START);
        });
    }
}
