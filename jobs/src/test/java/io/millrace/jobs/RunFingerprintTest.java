package io.millrace.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.jobs.RunFingerprint.Difference;
import io.millrace.udf.EngineIdentity;
import io.millrace.udf.shard.InputFile;
import io.millrace.udf.shard.RecordFormat;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RunFingerprintTest {
    private static final MillraceHome HOME = new MillraceHome(Path.of("/home"), Path.of("/work"));
    private static final EngineIdentity ENGINE = engine("C kernels for AMX");

    private static EngineIdentity engine(String kernels) {
        return new EngineIdentity("model", "local", "w", "t", "f32", kernels, "l");
    }

    private static InputPlan plan(InputFile... files) {
        List<PlannedFile> planned = List.of(files).stream()
                .map(file -> new PlannedFile(file, List.of()))
                .toList();
        return new InputPlan(RecordFormat.JSON_LINES, "text", 0, 10, planned);
    }

    private static RunFingerprint fingerprint(EngineIdentity engine, String... keysAndValues) {
        Map<String, List<String>> values = new LinkedHashMap<>();
        for (int at = 0; at < keysAndValues.length; at += 2) {
            values.put(keysAndValues[at], List.of(keysAndValues[at + 1]));
        }
        JobConfig config = JobConfig.resolve(HOME, List.of(new Settings("test", values)));
        return RunFingerprint.of(config, plan(), engine, null);
    }

    @Test
    void sha256_changesWithWhatChangesAnAnswerOnly() {
        String plain = fingerprint(ENGINE).sha256();

        assertThat(plain).hasSize(64);
        assertThat(fingerprint(ENGINE, "plan.shard-rows", "7", "engine.threads", "2", "engine.max-running", "3")
                        .sha256())
                .isEqualTo(plain);
        assertThat(fingerprint(ENGINE, "engine.model-dir", "/another/place/of/the/same/model")
                        .sha256())
                .isEqualTo(plain);
        assertThat(fingerprint(ENGINE, "sampling.seed", "1").sha256()).isNotEqualTo(plain);
        assertThat(fingerprint(ENGINE, "prompt.template", "Sum up: {text}").sha256())
                .isNotEqualTo(plain);
        assertThat(fingerprint(engine("512-bit Vector API")).sha256()).isNotEqualTo(plain);
    }

    @Test
    void to_other_namesFieldWasAndNow() {
        assertThat(fingerprint(ENGINE).to(fingerprint(engine("reference"), "prompt.system", "Be brief.")))
                .containsExactly(
                        new Difference("engine.kernels", "C kernels for AMX", "reference"),
                        new Difference("prompt.system", "(none)", "Be brief."));
    }

    /// Which kind answers a row is not known before, so what both are, and how far they may differ, is what
    /// the run is.
    @Test
    void to_runOfTwoKinds_isAnotherRun() {
        RunFingerprint alone = fingerprint(ENGINE);
        RunFingerprint mixed = RunFingerprint.of(
                JobConfig.resolve(
                        HOME,
                        List.of(new Settings(
                                "test",
                                Map.of(
                                        "cards.group", List.of("1"),
                                        "cards.beside", List.of("local"),
                                        "spark.master", List.of("spark://host:1"))))),
                plan(),
                ENGINE,
                new Parity(engine("reference"), 0.01, 0.5, 64));

        assertThat(alone.to(mixed))
                .containsExactly(
                        new Difference("cards.beside", "(none)", "local"),
                        new Difference("cards.beside.kernels", "(none)", "reference"),
                        new Difference("cards.beside.logits-sha256", "(none)", "l"),
                        new Difference("cards.tolerance", "(none)", "0.5"));
    }

    @Test
    void ofInputs_filesChangedGoneAndNew_areNamed() {
        InputPlan was = plan(new InputFile("file:/a", 1, 0), new InputFile("file:/b", 2, 0));
        InputPlan now = plan(new InputFile("file:/b", 2, 1000), new InputFile("file:/c", 3, 0));

        assertThat(Difference.ofInputs(was, now))
                .containsExactly(
                        new Difference("input file:/a", "1 bytes, modified 1970-01-01T00:00:00Z", "(none)"),
                        new Difference(
                                "input file:/b",
                                "2 bytes, modified 1970-01-01T00:00:00Z",
                                "2 bytes, modified 1970-01-01T00:00:01Z"),
                        new Difference("input file:/c", "(none)", "3 bytes, modified 1970-01-01T00:00:00Z"));
    }
}
