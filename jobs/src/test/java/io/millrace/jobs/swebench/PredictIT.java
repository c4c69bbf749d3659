package io.millrace.jobs.swebench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.jobs.ExitCode;
import io.millrace.jobs.Millrace;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// From instances to a predictions file, with the fake engine, whose answers are no patches.
class PredictIT {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path dir = Path.of("");

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int millrace(String... arguments) {
        CommandLine millrace = Millrace.commandLine();
        millrace.setOut(new PrintWriter(out));
        millrace.setErr(new PrintWriter(err));
        return millrace.execute(arguments);
    }

    private int predict(Path instances, Path repositories) {
        List<String> arguments =
                new ArrayList<>(List.of("swebench", "predict", "--no-gate", "--no-report", "--master", "local[2,2]"));
        arguments.addAll(List.of("--instances", instances.toString(), "--repositories", repositories.toString()));
        arguments.addAll(List.of("--output", dir.resolve("out").toString(), "--context", "bm25"));
        arguments.addAll(List.of("-c", "engine.kind=fake", "-c", "engine.model-dir=some/fake-model"));
        arguments.addAll(List.of("-c", "sampling.max-tokens=12", "-c", "prompt.overlong=truncate-middle"));
        return millrace(arguments.toArray(String[]::new));
    }

    @Test
    void predict_threeInstances_aPredictionForEachWhateverHappens() throws Exception {
        SmallRepository repository = new SmallRepository(
                        dir,
                        "small/python",
                        Map.of("sums.py", "def add(a, b):\n    return a - b\n", "test_sums.py", "check\n"),
                        "sums.py",
                        "test_sums.py",
                        "check\nmore\n")
                .create()
                .instance("a", "1")
                .instance("b", "1")
                .instance("c", "1");
        List<String> rows = new ArrayList<>(Files.readAllLines(repository.instancesFile()));
        rows.set(1, rows.get(1).replace("The sum", "REFUSE-ME the sum"));
        rows.set(2, rows.get(2).replace("small/python", "small/nowhere"));
        Path instances = Files.write(dir.resolve("three.jsonl"), rows);

        int code = predict(instances, repository.repositories());

        assertThat(code).as(err.toString()).isEqualTo(ExitCode.OK);
        Path file = dir.resolve("out/predictions.jsonl");
        List<JsonNode> predictions = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            predictions.add(JSON.readTree(line));
        }
        assertThat(predictions)
                .extracting(prediction -> prediction.get("instance_id").asText())
                .containsExactly("a", "b", "c");
        assertThat(predictions)
                .extracting(prediction -> prediction.get("model_name_or_path").asText())
                .containsOnly("fake-model");
        // the first is answered, without a patch; the others are not
        assertThat(predictions)
                .extracting(prediction -> prediction.get("model_patch").toString())
                .containsExactly("\"\"", "null", "null");

        String before = Files.readString(file);
        assertThat(predict(instances, repository.repositories()))
                .as(err.toString())
                .isEqualTo(ExitCode.OK);
        assertThat(Files.readString(file)).isEqualTo(before);

        code = millrace(
                "swebench",
                "grade",
                "--allow-code-execution",
                "--master",
                "local[1]",
                "--instances",
                instances.toString(),
                "--repositories",
                repository.repositories().toString(),
                "--predictions",
                file.toString(),
                "--output",
                dir.resolve("graded").toString());
        assertThat(code).as(err.toString()).isEqualTo(ExitCode.OK);
        JsonNode report =
                JSON.readTree(dir.resolve("graded/fake-model.millrace.json").toFile());
        assertThat(report.get("empty_patch_instances").asInt()).isEqualTo(3);
        assertThat(report.get("total_instances").asInt()).isEqualTo(3);
    }

    @Test
    void grade_withoutConsent_refused() throws Exception {
        int code = millrace(
                "swebench",
                "grade",
                "--instances",
                "x.jsonl",
                "--repositories",
                "x",
                "--predictions",
                "gold",
                "--output",
                dir.resolve("out").toString());

        assertThat(code).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("--allow-code-execution: expected");
        assertThat(dir.resolve("out")).doesNotExist();
    }
}
