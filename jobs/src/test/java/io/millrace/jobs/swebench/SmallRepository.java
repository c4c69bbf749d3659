package io.millrace.jobs.swebench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A repository with a fault, and instances and predictions on it.
///
/// Its program adds wrongly and doubles rightly; the gold patch mends the first, and the test patch
/// adds the test for it, `add`, to the one that is there, `twice`.
final class SmallRepository {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path dir;
    private final String name;
    private final Map<String, String> files;
    private final String program;
    private final String test;
    private final String added;
    private final List<ObjectNode> instances = new ArrayList<>();
    private final List<ObjectNode> predictions = new ArrayList<>();
    private String commit = "";
    private String prefix = "";

    /// @param dir for the clone in `repositories/`, and for the files
    /// @param files at the base; with `a - b` in the program and `2 * a`
    /// @param added the line of the test file behind which the new test goes, and that test
    SmallRepository(Path dir, String name, Map<String, String> files, String program, String test, String added) {
        this.dir = dir;
        this.name = name;
        this.files = new LinkedHashMap<>(files);
        this.program = program;
        this.test = test;
        this.added = added;
    }

    /// Commits the files.
    SmallRepository create() throws IOException, InterruptedException {
        Path clone = Files.createDirectories(dir.resolve("repositories").resolve(name.replace("/", "__")));
        for (Map.Entry<String, String> file : files.entrySet()) {
            Path path = clone.resolve(file.getKey());
            Files.createDirectories(path.getParent());
            Files.writeString(path, file.getValue());
        }
        git(clone, "init", "-q");
        git(clone, "add", "-A");
        git(clone, "-c", "user.name=Nobody", "-c", "user.email=nobody@example.org", "commit", "-q", "-m", "Sums");
        commit = git(clone, "rev-parse", "HEAD").strip();
        return this;
    }

    private static String git(Path clone, String... arguments) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(List.of("git"));
        words.addAll(List.of(arguments));
        Process git = new ProcessBuilder(words)
                .directory(clone.toFile())
                .redirectErrorStream(true)
                .start();
        String output = new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(git.waitFor()).as(output).isZero();
        return output;
    }

    String gold() {
        return program("a - b", "a + b");
    }

    /// Solves the issue and breaks what was right.
    String breaking() {
        String before = file(program);
        return replace(program, before, before.replace("a - b", "a + b").replace("2 * a", "3 * a"));
    }

    static String nothing() {
        return """
                diff --git a/NOTHING.md b/NOTHING.md
                new file mode 100644
                --- /dev/null
                +++ b/NOTHING.md
                @@ -0,0 +1 @@
                +Solves nothing.
                """;
    }

    String unfitting() {
        return replace(program, "of no file\n", "of no file either\n");
    }

    private String program(String from, String to) {
        String before = file(program);
        return replace(program, before, before.replace(from, to));
    }

    String file(String path) {
        String text = files.get(path);
        assertThat(text).as(path).isNotNull();
        return text;
    }

    /// A patch that replaces a whole file.
    static String replace(String path, String before, String after) {
        List<String> lines = new ArrayList<>(List.of(
                "diff --git a/" + path + " b/" + path,
                "--- a/" + path,
                "+++ b/" + path,
                "@@ -1," + before.lines().count() + " +1," + after.lines().count() + " @@"));
        before.lines().map(line -> "-" + line).forEach(lines::add);
        after.lines().map(line -> "+" + line).forEach(lines::add);
        return String.join("\n", lines) + "\n";
    }

    /// Adds an instance, and a prediction for it unless that is left out.
    ///
    /// @param patch null for a prediction without one
    SmallRepository with(String id, String version, @Nullable String patch) {
        instance(id, version);
        predictions.add(JSON.createObjectNode()
                .put("instance_id", id)
                .put("model_name_or_path", "some/model")
                .put("model_patch", patch));
        return this;
    }

    SmallRepository instance(String id, String version) {
        String before = file(test);
        String line = added.lines().findFirst().orElseThrow();
        ObjectNode instance = JSON.createObjectNode()
                .put("instance_id", id)
                .put("repo", name)
                .put("version", version)
                .put("base_commit", commit)
                .put("patch", gold())
                .put("test_patch", replace(test, before, before.replace(line + "\n", added)))
                .put("problem_statement", "The sum of two numbers is wrong.")
                // as most official files have it: a text that holds an array
                .put("FAIL_TO_PASS", tests("add").toString());
        instance.set("PASS_TO_PASS", tests("twice"));
        instances.add(instance);
        return this;
    }

    private ArrayNode tests(String method) {
        return JSON.createArrayNode().add(prefix + method);
    }

    /// Tests have names that begin so.
    SmallRepository testsNamed(String begin) {
        prefix = begin;
        return this;
    }

    Path repositories() {
        return dir.resolve("repositories");
    }

    Path instancesFile() throws IOException {
        return lines("instances.jsonl", instances);
    }

    Path predictionsFile() throws IOException {
        return lines("predictions.jsonl", predictions);
    }

    private Path lines(String file, List<ObjectNode> nodes) throws IOException {
        return Files.write(
                dir.resolve(file), nodes.stream().map(ObjectNode::toString).toList());
    }
}
