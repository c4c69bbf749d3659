package io.millrace.quality;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.schemas.AuditExchange;
import io.millrace.schemas.AuditExchange.ExitCode;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// The auditor as its producer meets it: a process, a directory, files. Real child JVMs on this test's class
/// path.
@ExtendWith(SparkExtension.class)
class AuditorProcessIT {

    private static final Duration LIMIT = Duration.ofMinutes(3);
    private static final int ROWS = 400;

    @TempDir
    private Path folder = Path.of("");

    private final List<Process> started = new ArrayList<>();

    @AfterEach
    void endChildren() throws InterruptedException {
        for (Process process : started) {
            process.destroyForcibly().waitFor();
        }
    }

    @Test
    void requests_warmAuditor_answersEachAndEndsWhenAsked(SparkSession spark) throws Exception {
        Path exchange = Files.createDirectory(folder.resolve("exchange"));
        Path clean = SampleRows.write(spark, SampleRows.clean(ROWS), folder.resolve("clean"));
        List<ObjectNode> rows = SampleRows.clean(ROWS);
        rows.get(3).put("template_leak", true);
        Path faulty = SampleRows.write(spark, rows, folder.resolve("faulty"));
        Process auditor = start(List.of("--requests", exchange.toString(), "--quality-master", "local[2]"));

        JsonNode ready = await(auditor, exchange.resolve(AuditExchange.READY_FILE));
        assertThat(ready.path("pid").longValue()).isEqualTo(auditor.pid());
        assertThat(ready.path("startup_ms").longValue()).isPositive();
        assertThat(ready.path("versions").path("deequ").textValue()).isEqualTo("2.1.0-spark-3.5");

        place(exchange.resolve(AuditExchange.REQUEST_FILE), request(clean));
        JsonNode passed = await(auditor, exchange.resolve(AuditExchange.VERDICT_FILE));
        assertThat(passed.path("verdict").textValue())
                .as(passed.toPrettyString())
                .isEqualTo("pass");
        assertThat(passed.path("rows").intValue()).isEqualTo(ROWS);
        assertThat(exchange.resolve("metrics.json")).exists();
        assertThat(exchange.resolve("request.json")).doesNotExist();

        place(exchange.resolve("request-2.json"), request(faulty));
        JsonNode failed = await(auditor, exchange.resolve("verdict-2.json"));
        assertThat(failed.path("verdict").textValue()).isEqualTo("fail");
        assertThat(failed.findPath("examples").isArray()).isTrue();
        assertThat(failed.toString()).contains(rows.get(3).get("request_id").textValue());

        place(exchange.resolve("request-3.json"), "{\"output\": 7}");
        assertThat(await(auditor, exchange.resolve("verdict-3.json"))
                        .path("verdict")
                        .textValue())
                .isEqualTo("error");
        place(exchange.resolve("request-4.json"), request(folder.resolve("nowhere")));
        JsonNode missing = await(auditor, exchange.resolve("verdict-4.json"));
        assertThat(missing.path("verdict").textValue()).isEqualTo("error");
        assertThat(missing.path("message").textValue()).contains("nowhere");

        Files.createFile(exchange.resolve(AuditExchange.STOP_FILE));
        assertThat(auditor.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertThat(auditor.exitValue()).isEqualTo(ExitCode.ERROR);
        System.out.println("auditor: ready after " + ready.path("startup_ms") + " ms; audits of " + ROWS + " rows: "
                + passed.path("duration_ms") + " ms, " + failed.path("duration_ms") + " ms");
    }

    @Test
    void requests_parentEnds_auditorEndsToo() throws Exception {
        Path exchange = Files.createDirectory(folder.resolve("exchange"));
        Process parent = new ProcessBuilder("sleep", "600").start();
        started.add(parent);
        Process auditor = start(List.of("--requests", exchange.toString(), "--parent-pid", "" + parent.pid()));
        await(auditor, exchange.resolve(AuditExchange.READY_FILE));

        parent.destroyForcibly().waitFor();

        assertThat(auditor.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(auditor.exitValue()).isEqualTo(ExitCode.PARENT_GONE);
    }

    @Test
    void requests_auditorKilled_parentSeesItAndNoHalfVerdict() throws Exception {
        Path exchange = Files.createDirectory(folder.resolve("exchange"));
        place(exchange.resolve(AuditExchange.REQUEST_FILE), request(folder.resolve("any")));
        Process auditor = start(List.of("--requests", exchange.toString()));

        auditor.destroyForcibly();

        assertThat(auditor.waitFor(30, TimeUnit.SECONDS)).isTrue();
        // 128 + SIGKILL
        assertThat(auditor.exitValue()).isEqualTo(137);
        assertThat(exchange.resolve(AuditExchange.VERDICT_FILE)).doesNotExist();
    }

    @Test
    void audit_faultyOutput_endsWithThreeAndPrintsTheRows(SparkSession spark) throws Exception {
        List<ObjectNode> rows = SampleRows.clean(ROWS);
        rows.get(3).put("template_leak", true);
        Path output = SampleRows.write(spark, rows, folder.resolve("faulty"));
        Path verdict = folder.resolve("verdict.json");
        Process auditor = start(List.of(
                "audit",
                "--output",
                output.toString(),
                "--input",
                output.toString(),
                "--rules",
                Path.of("rules", "summarize.yaml").toAbsolutePath().toString(),
                "--verdict",
                verdict.toString(),
                "--quality-master",
                "local[2]"));

        assertThat(auditor.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
        String printed = Files.readString(folder.resolve("auditor.out"));

        assertThat(auditor.exitValue()).as(printed).isEqualTo(ExitCode.GATE_FAILED);
        assertThat(printed)
                .contains("gate failed: ")
                .contains("fail-run template-leak: ")
                .contains(rows.get(3).get("request_id").textValue() + " stories/a.parquet row group 1 row 1 sample 0");
        assertThat(read(verdict).path("verdict").textValue()).isEqualTo("fail");
    }

    private Process start(List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(ProcessHandle.current().info().command().orElseThrow());
        for (String argument : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
            if (!argument.startsWith("-Dsurefire") && !argument.startsWith("-javaagent")) {
                command.add(argument);
            }
        }
        command.addAll(List.of("-cp", classPath(), Auditor.class.getName()));
        command.addAll(arguments);
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("auditor.out").toFile())
                .start();
        started.add(process);
        return process;
    }

    /// The class path as it was before surefire put it into a manifest.
    private static String classPath() {
        return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    }

    private static String request(Path output) {
        ObjectNode request = new ObjectMapper().createObjectNode();
        request.putArray("output").add(output.toString());
        request.put("expected_rows", ROWS);
        ObjectNode byFile = request.putObject("expected_rows_by_file");
        SampleRows.byFile(ROWS).forEach(byFile::put);
        return request.toString();
    }

    private static void place(Path file, String text) throws IOException {
        Path part = Files.writeString(file.resolveSibling(".part"), text);
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
    }

    private JsonNode await(Process auditor, Path file) throws IOException {
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (!Files.exists(file)) {
            String printed = Files.readString(folder.resolve("auditor.out"));
            assertThat(auditor.isAlive()).as("auditor ended: " + printed).isTrue();
            assertThat(System.nanoTime()).as("no " + file + ": " + printed).isLessThan(deadline);
            LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
        }
        return read(file);
    }

    private static JsonNode read(Path file) throws IOException {
        return new ObjectMapper().readTree(Files.readString(file));
    }
}
