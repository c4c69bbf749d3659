package io.millrace.jobs;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The folder the program is run from: a checkout, where the bundled model, the bundled corpus and the
/// auditor are.
///
/// @param root the checkout
/// @param workDir where relative paths start and output goes by default
public record MillraceHome(Path root, Path workDir) {
    private static final String MODEL = "engine/models/synopsis-v4";
    private static final String CORPUS = "jobs/corpus/debian-synopsis-test.parquet";
    private static final DateTimeFormatter STAMP = DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT);

    /// The folder of `-Dmillrace.home`, else the one in whose `jobs` folder this class was built, else the
    /// working directory.
    ///
    /// @param given the folder said at start, or null
    public static MillraceHome find(@Nullable String given) {
        Path workDir = Path.of("").toAbsolutePath();
        if (given != null) {
            return new MillraceHome(Path.of(given).toAbsolutePath().normalize(), workDir);
        }
        for (Path folder = Builds.codeSource(); folder != null; folder = folder.getParent()) {
            if (Files.exists(folder.resolve("jobs/quality/pom.xml"))) {
                return new MillraceHome(folder, workDir);
            }
        }
        return new MillraceHome(workDir, workDir);
    }

    public String bundledModel() {
        return root.resolve(MODEL).toString();
    }

    /// The keys that describe the bundled corpus, with the lengths that the bundled model was trained on.
    Map<String, List<String>> bundledCorpus() {
        return Map.of(
                "sampling.beams", List.of("4"),
                "sampling.length-penalty", List.of("0.7"),
                "prompt.max-tokens", List.of("128"),
                "prompt.overlong", List.of("truncate-middle"),
                "sampling.max-tokens", List.of("28"),
                "input.path", List.of(root.resolve(CORPUS).toString()),
                "input.id-column", List.of("package"),
                "input.text-column", List.of("description"),
                "input.reference-column", List.of("synopsis"));
    }

    String defaultOutput() {
        return workDir.resolve("output")
                .resolve("summarize-" + STAMP.format(LocalDateTime.now(ZoneId.systemDefault())))
                .toString();
    }

    /// The rules of a gate that is given none.
    Path starterRules() {
        return root.resolve("jobs/quality/rules/summarize.yaml");
    }

    /// The auditor's folder of built files.
    Path auditorTarget() {
        return root.resolve("jobs/quality/target");
    }
}
