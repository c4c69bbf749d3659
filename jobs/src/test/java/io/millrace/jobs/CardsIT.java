package io.millrace.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.npu.cards.CardFault;
import io.millrace.npu.cards.CardLeases;
import io.millrace.npu.cards.CardOwner;
import io.millrace.udf.CardEngineProvider;
import io.millrace.udf.EngineRecipe;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// Executors that hold cards, on a cluster whose host has an `npu-smi` of ours: four cards, the first of
/// which is in alarm. Two workers on that one host find the same cards, one by the plugin and one by the
/// script, and offer the same ones.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class CardsIT {
    private static final int ROWS = 240;
    /// After which a card is lost: in the middle of its first rows.
    private static final int SYNCHRONIZATIONS = 200;

    private static final String TABLE = """
            | NPU   Name     | Health   | Power(W)    Temp(C)           Hugepages-Usage(page)|
            | Chip           | Bus-Id        | AICore(%)   Memory-Usage(MB)  HBM-Usage(MB)   |
            | 0     910B4    | Alarm    | 90.0        40                0    / 0             |
            | 0              | 0000:C1:00.0  | 0           0    / 0          2800 / 32768    |
            | 1     910B4    | OK       | 90.0        40                0    / 0             |
            | 0              | 0000:01:00.0  | 0           0    / 0          2800 / 32768    |
            | 2     910B4    | OK       | 90.0        40                0    / 0             |
            | 0              | 0000:C2:00.0  | 0           0    / 0          2800 / 32768    |
            | 3     910B4    | OK       | 90.0        40                0    / 0             |
            | 0              | 0000:02:00.0  | 0           0    / 0          2800 / 32768    |
            """;

    @TempDir
    private static Path dir = Path.of("");

    private LocalCluster cluster;
    private List<String> path = List.of();

    @BeforeAll
    void startCluster() throws IOException {
        Path bin = Files.createDirectories(dir.resolve("bin"));
        Path table = Files.writeString(bin.resolve("table.txt"), TABLE);
        script(bin.resolve("npu-smi"), "if [ \"$*\" = info ]; then cat " + table + "; else exit 1; fi");
        path = List.of("PATH=" + bin + ":" + System.getenv("PATH"));
        JavaProcesses processes = new JavaProcesses(dir);
        Path discover = script(
                bin.resolve("discover"),
                "exec '"
                        + String.join(
                                "' '",
                                processes.millrace(
                                        List.of("-Xlog:disable", "-Xlog:all=warning:stderr"),
                                        List.of("devices", "--resource", "npu")))
                        + "'");
        String amount = "-Dspark.worker.resource.npu.amount=3";
        cluster = LocalCluster.start(
                Files.createDirectory(dir.resolve("cluster")),
                List.of(
                        new LocalCluster.Worker(
                                2,
                                path,
                                List.of(
                                        amount,
                                        "-Dspark.resources.discoveryPlugin=io.millrace.jobs.cards.NpuDiscoveryPlugin")),
                        new LocalCluster.Worker(
                                1, path, List.of(amount, "-Dspark.worker.resource.npu.discoveryScript=" + discover))));
    }

    @AfterAll
    void stopCluster() throws InterruptedException {
        cluster.close();
    }

    private static Path script(Path file, String line) throws IOException {
        Files.writeString(file, "#!/bin/sh\n" + line + "\n");
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private Path input(int rows) throws IOException {
        return Files.write(
                dir.resolve("in-" + rows + ".txt"),
                IntStream.range(0, rows).mapToObj(row -> "row " + row).toList());
    }

    /// Of a run on cards: its own folder of locks, and an output.
    private final class CardRun {
        private final Path locks;
        private final Path output;
        private final Path gate;
        private final FakeJob job;

        CardRun(String name) {
            locks = dir.resolve("locks-" + name);
            output = dir.resolve("out-" + name);
            gate = dir.resolve("gate-" + name);
            job = new FakeJob(output);
        }

        int start(Path input, String engineOptions, String... settings) {
            List<String> args = new ArrayList<>(cluster.settings());
            for (String setting : List.of(
                    "engine.kind=" + CardEngineProvider.KIND,
                    "cards.group=1",
                    "cards.locks=" + locks,
                    "engine.max-running=2",
                    "plan.shard-rows=10",
                    "spark.executor.extraJavaOptions=" + engineOptions)) {
                args.addAll(List.of("-c", setting));
            }
            for (String setting : settings) {
                args.addAll(List.of("-c", setting));
            }
            return job.run(cluster.master(), input.toString(), args.toArray(String[]::new));
        }

        /// Starts the run and returns when executors hold two cards. No row is answered before the gate
        /// opens: otherwise one of them could be done before the other has begun.
        CompletableFuture<Integer> startBehindGate(Path input, String engineOptions) {
            CompletableFuture<Integer> exit = CompletableFuture.supplyAsync(() -> start(
                    input,
                    engineOptions + " -Dmillrace.test.card.gate=" + gate,
                    "spark.cores.max=2",
                    "engine.stall-seconds=300"));
            JavaProcesses.await(() -> exit.isDone() || owners().size() == 2, cluster::logs);
            assertThat(owners().keySet()).as(job.err() + cluster.logs()).containsExactly(1, 2);
            return exit;
        }

        void openGate() throws IOException {
            Files.createFile(gate);
        }

        Map<Integer, CardOwner> owners() {
            return new CardLeases(locks).owners();
        }

        boolean isHeldByAnother(int card, CardOwner before) {
            CardOwner owner = owners().get(card);
            return owner != null && owner.pid() != before.pid();
        }

        /// @return what computed the rows, in their order
        List<String> assertEveryRowIsAnsweredOnce() {
            List<Row> rows = job.rows();
            assertThat(rows).extracting(FakeJob::outcome).hasSize(ROWS).containsOnly("ok");
            assertThat(rows).extracting(row -> row.<String>getAs("request_id")).doesNotHaveDuplicates();
            StringWriter said = new StringWriter();
            CommandLine verify = Millrace.commandLine();
            verify.setOut(new PrintWriter(said));
            verify.setErr(new PrintWriter(said));
            assertThat(verify.execute("verify", output.toString(), "--master", "local[1]"))
                    .as(said.toString())
                    .isEqualTo(ExitCode.OK);
            return rows.stream()
                    .map(row -> row.<Row>getAs("engine").<String>getAs("device"))
                    .toList();
        }
    }

    @Test
    void executorKilledWhileItHoldsACard_anotherTakesTheCard() throws IOException {
        CardRun run = new CardRun("killed");

        CompletableFuture<Integer> exit = run.startBehindGate(input(ROWS), "-Dmillrace.test.card.millis=20");
        Map<Integer, CardOwner> held = run.owners();
        assertThat(held.values()).extracting(CardOwner::pid).doesNotHaveDuplicates();
        CardOwner killed = held.get(1);
        ProcessHandle.of(killed.pid()).orElseThrow().destroyForcibly();
        JavaProcesses.await(() -> exit.isDone() || run.isHeldByAnother(1, killed), cluster::logs);
        assertThat(exit).as(() -> run.job.err() + cluster.logs()).isNotDone();
        run.openGate();

        assertThat(exit.join()).as(() -> run.job.err() + cluster.logs()).isEqualTo(ExitCode.OK);
        assertThat(new TreeSet<>(run.assertEveryRowIsAnsweredOnce())).containsExactly("npu 1", "npu 2");
        assertThat(cluster.logs())
                .contains("took cards [2] in place of [1]")
                .contains("Left out: npu 0: unhealthy: Alarm");
        JavaProcesses.await(() -> run.owners().isEmpty(), () -> "still held: " + run.owners());
    }

    @Test
    void cardThatFails_isRetiredAndItsRowsGoElsewhere() throws IOException, InterruptedException {
        CardRun run = new CardRun("failed");

        CompletableFuture<Integer> exit =
                run.startBehindGate(input(ROWS), "-Dmillrace.test.card.fails=2:30 -Dmillrace.test.card.millis=50");
        run.openGate();

        assertThat(exit.join()).as(() -> run.job.err() + cluster.logs()).isEqualTo(ExitCode.OK);
        List<String> devices = run.assertEveryRowIsAnsweredOnce();
        assertThat(devices).contains("npu 1");
        assertThat(devices.stream().filter("npu 2"::equals).count())
                .as("rows of the card that failed at its thirtieth request")
                .isLessThan(30);
        assertThat(new CardLeases(run.locks).retirements()).singleElement().satisfies(retired -> {
            assertThat(retired.card()).isEqualTo(2);
            assertThat(retired.fault()).isEqualTo(CardFault.ECC);
            assertThat(retired.reason()).isEqualTo("aclrtSynchronizeStream on cards [2]: error 507053");
        });
        assertThat(devices(run.locks))
                .containsPattern("npu 0 +left out +910B4, chip 0 of 1 on card 0")
                .contains("unhealthy: Alarm")
                .containsPattern("npu 2 +free +910B4")
                .contains(": ECC, aclrtSynchronizeStream on cards [2]: error 507053");
    }

    /// Without a cluster nothing hands out cards: the process takes one. No other can take its place
    /// when it fails.
    @Test
    void localMode_withoutACardLeft_stopsAndSaysWhy() throws IOException, InterruptedException {
        Path output = dir.resolve("out-local");
        List<String> args =
                new ArrayList<>(List.of("summarize", "--input", input(40).toString()));
        args.addAll(List.of("--output", output.toString(), "--master", "local[2,4]", "--no-gate", "--no-report"));
        for (String setting : List.of(
                "engine.kind=" + CardEngineProvider.KIND,
                "engine.model-dir=fake-model",
                "cards.group=1",
                "cards.locks=" + dir.resolve("locks-local"),
                "plan.shard-rows=10")) {
            args.addAll(List.of("-c", setting));
        }
        try (JavaProcesses processes = new JavaProcesses(Files.createDirectory(dir.resolve("local")))) {
            List<String> environment = new ArrayList<>(List.of("env"));
            environment.addAll(path);
            Process run = processes.startMillrace("run", environment, List.of("-Dmillrace.test.card.fails=1:25"), args);

            assertThat(run.waitFor()).as(() -> processes.said("run")).isEqualTo(ExitCode.ERROR);
            assertThat(processes.said("run"))
                    .contains("millrace: no cards left: cards [1] of executor driver: aclrtSynchronizeStream on cards"
                            + " [1]: error 507053")
                    .contains("the same command with --output");
        }
    }

    private String devices(Path locks) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("env"));
        command.addAll(path);
        command.addAll(new JavaProcesses(dir).millrace(List.of(), List.of("devices", "--locks", locks.toString())));
        Process process = new ProcessBuilder(command).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        return said;
    }

    /// The only executor with a card loses it in the middle; another is started, on another card. Executors
    /// without cards begin at the other end. The cards are software cards, behind the real binding.
    @Test
    void mixedRun_cardsTakeTheHeadAndCpusTheTail() throws IOException, InterruptedException {
        CardRun run = new CardRun("mixed");
        Path model = Path.of("../engine/models/synopsis-v4").toAbsolutePath().normalize();

        int exit = run.start(
                input(ROWS),
                "-Dunused=0",
                "engine.kind=" + EngineRecipe.LOCAL,
                "engine.model-dir=" + model,
                "engine.ring=npu:" + softwareCards(),
                "engine.max-running=4",
                "spark.executorEnv.SOFTCARD_DEVICES=4",
                "spark.executorEnv.SOFTCARD_FAULT=lost:aclrtSynchronizeStreamWithTimeout:" + SYNCHRONIZATIONS
                        + ":507053:1",
                "cards.beside=" + EngineRecipe.LOCAL,
                // the C kernels of some processors round activations to bf16
                "cards.tolerance=1",
                "spark.dynamicAllocation.maxExecutors=1",
                "sampling.max-tokens=4");

        assertThat(exit).as(() -> run.job.err() + cluster.logs()).isEqualTo(ExitCode.OK);
        List<String> devices = run.assertEveryRowIsAnsweredOnce();
        assertThat(devices.getFirst()).isEqualTo("npu");
        assertThat(devices.getLast()).isEqualTo("cpu");
        JsonNode manifest = new ObjectMapper()
                .readTree(run.output.resolve("_millrace/run.json").toFile());
        assertThat(manifest.at("/fingerprint/cards.beside").asText()).isEqualTo(EngineRecipe.LOCAL);
        assertThat(manifest.at("/engine/kernel_ring").asText()).isEqualTo("npu Ascend910B3 f32");
        assertThat(manifest.at("/beside/tokens").asInt()).isGreaterThan(50);
        assertThat(manifest.at("/beside/difference").asDouble(2)).isLessThan(1);
        assertThat(new CardLeases(run.locks).retirements()).singleElement().satisfies(retired -> {
            assertThat(retired.card()).isEqualTo(1);
            assertThat(retired.fault()).isEqualTo(CardFault.ECC);
        });
    }

    /// Builds the software card of npu-executor's tests.
    private static Path softwareCards() throws IOException, InterruptedException {
        Path built = dir.resolve("softcard");
        Process build = new ProcessBuilder("sh", "../npu-executor/src/test/c/build.sh", built.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(build.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assumeTrue(build.waitFor() == 0, () -> "the software card cannot be built here: " + said);
        return built.resolve("latest");
    }
}
