package io.millrace.jobs.swebench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.jobs.ExitCode;
import io.millrace.jobs.JavaProcesses;
import io.millrace.jobs.Millrace;
import io.millrace.udf.sandbox.Sandbox;
import io.millrace.udf.sandbox.SandboxException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// Predictions of every kind on repositories of our own, through the Spark job and the sandbox.
class GradeIT {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path dir = Path.of("");

    private @Nullable Path predictions;
    private String out = "";
    private String err = "";

    @BeforeEach
    void needSandbox() {
        try {
            Sandbox.requireAvailable();
        } catch (SandboxException e) {
            assumeTrue(false, e.getMessage());
        }
    }

    private List<String> arguments(SmallRepository repository, String... more) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("swebench", "grade", "--allow-code-execution"));
        arguments.addAll(List.of("--instances", repository.instancesFile().toString()));
        Path given = predictions == null ? repository.predictionsFile() : predictions;
        arguments.addAll(List.of("--predictions", given.toString()));
        arguments.addAll(List.of("--repositories", repository.repositories().toString()));
        arguments.addAll(
                List.of("--environment", dir.resolve("environment.yaml").toString()));
        arguments.addAll(
                List.of("--output", dir.resolve("out").toString(), "--engine", "none", "--master", "local[1]"));
        arguments.addAll(List.of(more));
        return arguments;
    }

    private JsonNode grade(SmallRepository repository, String... more) throws IOException {
        StringWriter said = new StringWriter();
        StringWriter complained = new StringWriter();
        CommandLine millrace = Millrace.commandLine();
        millrace.setOut(new PrintWriter(said));
        millrace.setErr(new PrintWriter(complained));
        int code = millrace.execute(arguments(repository, more).toArray(String[]::new));
        out = said.toString();
        err = complained.toString();
        assertThat(code).as(err).isEqualTo(ExitCode.OK);
        return JSON.readTree(dir.resolve("out/some__model.millrace.json").toFile());
    }

    private Path logs(String id) {
        return dir.resolve("out/logs/run_evaluation/millrace/some__model").resolve(id);
    }

    private JsonNode tests(String id) throws IOException {
        return JSON.readTree(logs(id).resolve("report.json").toFile()).get(id);
    }

    private void environment(String yaml) throws IOException {
        Files.writeString(dir.resolve("environment.yaml"), yaml);
    }

    private static List<String> ids(JsonNode report, String kind) {
        List<String> ids = new ArrayList<>();
        report.get(kind).forEach(id -> ids.add(id.asText()));
        return ids;
    }

    /// With tests in bash alone.
    private SmallRepository shell() throws IOException, InterruptedException {
        environment("""
                repositories: small/shell
                versions: ["1"]
                test: bash test.sh
                log-parser: parse_log_pytest
                """);
        return new SmallRepository(
                        dir, "small/shell", Map.of("sums.sh", """
                                # Sums.
                                add() {
                                    a=$1 b=$2
                                    echo $((a - b))
                                }

                                twice() {
                                    a=$1
                                    echo $((2 * a))
                                }
                                """, "test.sh", """
                                . ./sums.sh
                                check() { if [ "$2" = "$3" ]; then echo "PASSED $1"; else echo "FAILED $1 - $2"; fi; }
                                check twice "$(twice 3)" 6
                                """), "sums.sh", "test.sh", """
                                check twice "$(twice 3)" 6
                                check add "$(add 1 2)" 3
                                """)
                .create();
    }

    @Test
    void shell_everyKindOfPrediction_everyKindOfEnd() throws Exception {
        // the lines around the change are others than the patch says: only the last command takes it
        String fuzzy = """
                --- a/sums.sh
                +++ b/sums.sh
                @@ -1,6 +1,6 @@
                 # Sums, once.
                 add() {
                     a=$1 b=$2
                -    echo $((a - b))
                +    echo $((a + b))
                 }
                 # nothing here
                """;
        // applied, it prints what the tests would print, and ends them in a way that they do not
        SmallRepository repository = shell();
        String forged = SmallRepository.replace(
                "sums.sh", repository.file("sums.sh"), "echo PASSED add; echo PASSED twice; exit 3\n");
        repository
                .with("gold", "1", repository.gold())
                .with("nothing", "1", SmallRepository.nothing())
                .with("breaking", "1", repository.breaking())
                .with("unfitting", "1", repository.unfitting())
                .with("fuzzy", "1", fuzzy)
                .with("forged", "1", forged)
                .with("empty", "1", "")
                .with("null", "1", null)
                .with("untold", "2", repository.gold())
                .instance("absent", "1");

        JsonNode report = grade(repository);

        assertThat(ids(report, "resolved_ids")).as(out).containsExactly("fuzzy", "gold");
        assertThat(ids(report, "unresolved_ids")).containsExactly("breaking", "forged", "nothing");
        assertThat(ids(report, "error_ids")).containsExactly("unfitting", "untold");
        assertThat(ids(report, "infra_failure_ids")).containsExactly("untold");
        assertThat(ids(report, "empty_patch_ids")).containsExactly("empty", "null");
        assertThat(ids(report, "incomplete_ids")).containsExactly("absent");
        assertThat(report.get("total_instances").asInt()).isEqualTo(10);
        assertThat(out).contains("score               20.00 %");
        assertThat(tests("gold").at("/tests_status/FAIL_TO_PASS/success/0").asText())
                .isEqualTo("add");
        assertThat(tests("breaking").at("/tests_status/FAIL_TO_PASS/failure")).isEmpty();
        assertThat(tests("breaking").at("/tests_status/PASS_TO_PASS/failure/0").asText())
                .isEqualTo("twice");
        assertThat(tests("nothing").at("/tests_status/FAIL_TO_PASS/failure/0").asText())
                .isEqualTo("add");
        assertThat(tests("forged").get("patch_successfully_applied").asBoolean())
                .isFalse();
        assertThat(logs("unfitting").resolve("report.json")).doesNotExist();
        assertThat(logs("gold").resolve("test_output.txt")).content().contains(TestLog.START, "PASSED add");
        assertThat(logs("fuzzy").resolve("run_instance.log"))
                .content()
                .contains("== patch --batch --forward --fuzz=5 -p1 -i: exit code 0");
    }

    @Test
    void shell_buildFails_environmentWhateverThePatch() throws Exception {
        SmallRepository repository = shell();
        environment("""
                repositories: small/shell
                build: "false"
                test: bash test.sh
                log-parser: parse_log_pytest
                """);
        repository.with("gold", "1", repository.gold());

        JsonNode report = grade(repository);

        assertThat(ids(report, "infra_failure_ids")).containsExactly("gold");
        assertThat(report.at("/failure_reasons/gold").asText()).isEqualTo("build_failed");
        assertThat(report.get("resolved_instances").asInt()).isZero();
        assertThat(out).contains("gold: environment: expected the base commit");
    }

    @Test
    void shell_gradedBefore_onlyWhatChangedOrFailedIsGradedAgain() throws Exception {
        SmallRepository repository = shell();
        repository.with("first", "1", repository.gold()).with("untold", "2", repository.gold());
        grade(repository);
        byte[] first = Files.readAllBytes(logs("first").resolve("grade.json"));

        repository.with("second", "1", repository.gold());
        JsonNode report = grade(repository);

        assertThat(err).contains("3 instances, 3 predictions, 1 to be graded");
        assertThat(ids(report, "resolved_ids")).containsExactly("first", "second");
        assertThat(Files.readAllBytes(logs("first").resolve("grade.json"))).isEqualTo(first);

        grade(repository, "--retry-errors");
        assertThat(err).contains("1 to be graded");

        predictions = Files.writeString(
                dir.resolve("changed.jsonl"),
                Files.readString(repository.predictionsFile()).replace("a + b", "b + a"));
        grade(repository);
        assertThat(err).contains("3 to be graded");
    }

    @Test
    void shell_killed_goesOn() throws Exception {
        SmallRepository repository = shell();
        for (int number = 0; number < 8; number++) {
            repository.with("shell-" + number, "1", repository.gold());
        }
        Map<Path, String> before = new HashMap<>();
        try (JavaProcesses processes = new JavaProcesses(dir)) {
            Process process = processes.startMillrace("killed", List.of(), List.of(), arguments(repository));
            JavaProcesses.await(() -> !grades().isEmpty() || !process.isAlive(), () -> processes.said("killed"));
            process.destroyForcibly().waitFor();
            for (Path grade : grades()) {
                before.put(grade, Files.readString(grade));
            }
            assertThat(before).as(processes.said("killed")).isNotEmpty().hasSizeLessThan(8);
        }

        JsonNode report = grade(repository);

        assertThat(report.get("resolved_instances").asInt()).isEqualTo(8);
        assertThat(err).contains(8 - before.size() + " to be graded");
        for (Map.Entry<Path, String> grade : before.entrySet()) {
            assertThat(grade.getKey()).content().isEqualTo(grade.getValue());
        }
        assertThat(dir.resolve("out/logs/run_evaluation/millrace/.staging")).doesNotExist();
    }

    private List<Path> grades() {
        Path model = logs(".");
        if (!Files.exists(model)) {
            return List.of();
        }
        try (Stream<Path> folders = Files.list(model)) {
            return folders.map(folder -> folder.resolve("grade.json"))
                    .filter(Files::exists)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void javac_goldNothingAndBreaking_asTheyDeserve() throws Exception {
        environment("""
                repositories: small/java
                settings: {JAVA_HOME: home of a JDK}
                variables:
                  JAVA_TOOL_OPTIONS: -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1
                build: $JAVA_HOME/bin/javac -d out src/Sums.java
                test: $JAVA_HOME/bin/javac -d out src/Sums.java test/SumsTest.java && $JAVA_HOME/bin/java -cp out SumsTest
                log-parser: parse_log_pytest
                """);
        SmallRepository repository = new SmallRepository(
                        dir,
                        "small/java",
                        Map.of("src/Sums.java", """
                                public class Sums {
                                    public static int add(int a, int b) {
                                        return a - b;
                                    }

                                    public static int twice(int a) {
                                        return 2 * a;
                                    }
                                }
                                """, "test/SumsTest.java", """
                                public class SumsTest {
                                    public static void main(String[] args) {
                                        check("twice", Sums.twice(3) == 6);
                                    }

                                    static void check(String name, boolean holds) {
                                        System.out.println((holds ? "PASSED " : "FAILED ") + name);
                                    }
                                }
                                """),
                        "src/Sums.java",
                        "test/SumsTest.java",
                        """
                                        check("twice", Sums.twice(3) == 6);
                                        check("add", Sums.add(1, 2) == 3);
                                """)
                .create();
        threePredictions(repository);

        JsonNode report = grade(repository, "--set", "JAVA_HOME=" + System.getProperty("java.home"));

        asTheyDeserve(report);
    }

    private static void threePredictions(SmallRepository repository) {
        repository
                .with("gold", "1", repository.gold())
                .with("nothing", "1", SmallRepository.nothing())
                .with("breaking", "1", repository.breaking());
    }

    private void asTheyDeserve(JsonNode report) throws IOException {
        assertThat(ids(report, "resolved_ids")).as(out).containsExactly("gold");
        assertThat(ids(report, "unresolved_ids")).containsExactly("breaking", "nothing");
        assertThat(tests("breaking").at("/tests_status/PASS_TO_PASS/failure")).hasSize(1);
        assertThat(tests("nothing").at("/tests_status/FAIL_TO_PASS/failure")).hasSize(1);
    }

    @Test
    void python_goldNothingAndBreaking_asTheyDeserve() throws Exception {
        assumeTrue(Files.exists(Path.of("/usr/bin/python3")), "no /usr/bin/python3");
        environment("""
                repositories: small/python
                tools: python3
                build: python3 -c 'import sums'
                test: python3 test_sums.py
                log-parser: parse_log_pytest
                """);
        SmallRepository repository = new SmallRepository(
                        dir,
                        "small/python",
                        Map.of("sums.py", """
                                def add(a, b):
                                    return a - b


                                def twice(a):
                                    return 2 * a
                                """, "test_sums.py", """
                                import sums


                                def check(name, holds):
                                    print("PASSED" if holds else "FAILED", name)


                                check("twice", sums.twice(3) == 6)
                                """),
                        "sums.py",
                        "test_sums.py",
                        """
                                check("twice", sums.twice(3) == 6)
                                check("add", sums.add(1, 2) == 3)
                                """)
                .create();
        threePredictions(repository);

        asTheyDeserve(grade(repository));
    }

    @Test
    void maven_goldNothingAndBreaking_asTheyDeserve() throws Exception {
        Path local = Path.of(System.getProperty(
                "localRepository",
                Path.of(System.getProperty("user.home"), ".m2/repository").toString()));
        assumeTrue(Files.exists(Path.of("/usr/bin/mvn")), "no /usr/bin/mvn");
        for (String needed : List.of(
                "org/apache/maven/plugins/maven-surefire-plugin/3.5.3/maven-surefire-plugin-3.5.3.jar",
                "org/apache/maven/surefire/surefire-junit-platform/3.5.3/surefire-junit-platform-3.5.3.jar",
                "org/junit/jupiter/junit-jupiter-engine/5.14.4/junit-jupiter-engine-5.14.4.jar")) {
            assumeTrue(Files.exists(local.resolve(needed)), () -> "no " + needed + " in " + local);
        }
        environment("""
                repositories: small/maven
                settings:
                  JAVA_HOME: home of a JDK
                  LOCAL: local repository of Maven
                tools: mvn
                variables:
                  JAVA_TOOL_OPTIONS: -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1
                test: mvn -o -B -q -Dmaven.repo.local=$LOCAL -Dtest="${TEST_CLASSES// /,}" test
                reports: target/surefire-reports/TEST-*.xml
                log-parser: junit_xml
                """);
        SmallRepository repository = new SmallRepository(
                        dir,
                        "small/maven",
                        Map.of(
                                "pom.xml",
                                Files.readString(Path.of("src/test/resources/swebench/pom.xml")),
                                "src/main/java/Sums.java",
                                """
                                public class Sums {
                                    public static int add(int a, int b) {
                                        return a - b;
                                    }

                                    public static int twice(int a) {
                                        return 2 * a;
                                    }
                                }
                                """,
                                "src/test/java/SumsTest.java",
                                """
                                import static org.junit.jupiter.api.Assertions.assertEquals;

                                import org.junit.jupiter.api.Test;

                                class SumsTest {
                                    @Test void twice() { assertEquals(6, Sums.twice(3)); }
                                }
                                """),
                        "src/main/java/Sums.java",
                        "src/test/java/SumsTest.java",
                        """
                                    @Test void twice() { assertEquals(6, Sums.twice(3)); }
                                    @Test void add() { assertEquals(3, Sums.add(1, 2)); }
                                """)
                .create()
                .testsNamed("SumsTest#");
        threePredictions(repository);

        JsonNode report =
                grade(repository, "--set", "JAVA_HOME=" + System.getProperty("java.home"), "--set", "LOCAL=" + local);

        asTheyDeserve(report);
    }
}
