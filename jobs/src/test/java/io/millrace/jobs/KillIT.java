package io.millrace.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.schemas.Columns.Completion;
import io.millrace.udf.CountedEngineProvider;
import io.millrace.udf.shard.CommittedShard;
import io.millrace.udf.shard.RowSummary;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// One run on a cluster of processes, whose driver, executors or both are killed (SIGKILL) at random
/// moments and which is started again by the same command each time. In the end it must be what an
/// undisturbed run is.
///
/// `-Dkill.moments=20 -Dkill.seed=N` (Maven profile `kill`) for the long form; what each moment hit is
/// written to `target/kill-moments.md`.
class KillIT {
    private static final int SHARD_ROWS = 10;
    private static final int PROMPT_TOKENS = 32;
    private static final int COMPLETION_TOKENS = 6;
    /// Most tokens of a shard.
    private static final int SHARD_TOKENS = SHARD_ROWS * (PROMPT_TOKENS + COMPLETION_TOKENS);
    /// Shards for each moment, so that the run is not over before the last one; no moment waits for more than all
    /// but one of them.
    private static final int SHARDS_PER_MOMENT = 6;
    private static final int EXECUTORS = 2;

    private static final int MOMENTS = Integer.getInteger("kill.moments", 3);
    private static final long SEED = Long.getLong("kill.seed", 20261122L);

    @TempDir
    private Path dir = Path.of("");

    private final SplittableRandom random = new SplittableRandom(SEED);
    private final List<String> report = new ArrayList<>();
    private int starts;

    /// Whom a moment hits.
    private enum Victim {
        DRIVER,
        EXECUTOR,
        BOTH
    }

    @Test
    @Timeout(value = 60, unit = TimeUnit.MINUTES)
    void killedAndResumed_atRandomMoments_isAsIfUndisturbed() throws IOException, InterruptedException {
        Path input = corpus((MOMENTS + 1) * SHARDS_PER_MOMENT * SHARD_ROWS);
        Output undisturbed = undisturbed(input);
        try (LocalCluster cluster = LocalCluster.start(dir.resolve("cluster"))) {
            Output disturbed = new Output("disturbed");
            int executorsLost = disturb(cluster, input, disturbed);

            assertSameRows(undisturbed, disturbed);
            long onePass = undisturbed.tokens();
            report.add(String.format(
                    Locale.ROOT,
                    "%nTokens computed: %,d; one pass: %,d; more than one pass: %,d, by %d executors lost %,d each (a shard"
                            + " has at most %,d). Digest %s, as undisturbed.",
                    disturbed.tokens(),
                    onePass,
                    disturbed.tokens() - onePass,
                    executorsLost,
                    (disturbed.tokens() - onePass) / executorsLost,
                    SHARD_TOKENS,
                    disturbed.manifest().path("digest").asText()));
            writeReport();
            assertThat(disturbed.tokens()).isLessThanOrEqualTo(onePass + onePass / 20 + executorsLost * SHARD_TOKENS);
        }
    }

    private void writeReport() throws IOException {
        Files.write(Files.createDirectories(Path.of("target")).resolve("kill-moments.md"), report);
    }

    /// Texts of the bundled corpus.
    private Path corpus(int rows) {
        Path input = dir.resolve("corpus");
        return FakeJob.withSpark(spark -> {
            spark.read()
                    .parquet("corpus/debian-synopsis-test.parquet")
                    .limit(rows)
                    .repartition(3, functions.col("package"))
                    .write()
                    .parquet(input.toString());
            return input;
        });
    }

    /// The run in this process, from end to end.
    private Output undisturbed(Path input) throws IOException {
        Output output = new Output("undisturbed");
        System.setProperty(CountedEngineProvider.FOLDER, output.counters.toString());
        FakeJob job = new FakeJob(output.dir);
        assertThat(job.run("local[2]", input.toString(), settings().toArray(String[]::new)))
                .as(job.err())
                .isEqualTo(ExitCode.OK);
        return output;
    }

    private static List<String> settings() {
        Path model = Path.of("../engine/models/synopsis-v4").toAbsolutePath().normalize();
        List<String> settings = new ArrayList<>(List.of("--text-column", "description", "--id-column", "package"));
        for (String setting : List.of(
                "engine.kind=" + CountedEngineProvider.KIND,
                "engine.model-dir=" + model,
                "engine.max-running=4",
                "prompt.max-tokens=" + PROMPT_TOKENS,
                "prompt.overlong=truncate-end",
                "sampling.max-tokens=" + COMPLETION_TOKENS,
                "plan.shard-rows=" + SHARD_ROWS,
                // a machine that stands still for a while is not what is tested here
                "engine.stall-seconds=600",
                "spark.task.maxFailures=20")) {
            settings.addAll(List.of("-c", setting));
        }
        return settings;
    }

    private Process start(LocalCluster cluster, Path input, Output output) throws IOException {
        List<String> args = new ArrayList<>(List.of("summarize", "--input", input.toString()));
        args.addAll(
                List.of("--output", output.dir.toString(), "--master", cluster.master(), "--no-gate", "--no-report"));
        args.addAll(settings());
        args.addAll(cluster.settings());
        args.addAll(List.of(
                "-c", "spark.executor.extraJavaOptions=-D" + CountedEngineProvider.FOLDER + "=" + output.counters));
        starts++;
        return cluster.startMillrace("driver" + starts, args);
    }

    private String said(LocalCluster cluster) {
        return cluster.said("driver" + starts) + cluster.logs();
    }

    /// Kills at every moment and starts again what must be started again, until the run is complete.
    ///
    /// @return how many executors were lost, those of killed drivers counted
    private int disturb(LocalCluster cluster, Path input, Output output) throws IOException, InterruptedException {
        report.add("seed " + SEED + ", " + MOMENTS + " moments, two executors\n");
        report.add("| moment | killed | start | shards committed | what the killed executors had under way"
                + " | tokens computed | tokens in committed shards | the driver had last said |");
        report.add("|---|---|---|---|---|---|---|---|");
        int executorsLost = 0;
        Process driver = start(cluster, input, output);
        for (int moment = 1; moment <= MOMENTS; moment++) {
            awaitMoment(cluster, driver, output);
            Victim victim = Victim.values()[random.nextInt(Victim.values().length)];
            ProcessHandle executor = anyExecutor(cluster);
            List<ProcessHandle> lost = victim == Victim.EXECUTOR ? List.of(executor) : cluster.executors();
            String underWay = lost.stream().map(output::underWay).collect(Collectors.joining("; "));
            if (victim != Victim.DRIVER) {
                executorsLost++;
                kill(executor);
            }
            if (victim != Victim.EXECUTOR) {
                executorsLost += victim == Victim.BOTH ? EXECUTORS - 1 : EXECUTORS;
                kill(driver.toHandle());
            }
            report.add(String.format(
                    Locale.ROOT,
                    "| %d | %s | %d | %d | %s | %,d | %,d | %s |",
                    moment,
                    victim.name().toLowerCase(Locale.ROOT),
                    starts,
                    output.parts(),
                    underWay,
                    output.tokens(),
                    output.committedTokens(),
                    lastWords(cluster)));
            writeReport();
            if (victim != Victim.EXECUTOR) {
                driver = start(cluster, input, output);
            }
        }
        assertThat(driver.waitFor()).as(() -> said(cluster)).isEqualTo(ExitCode.OK);
        return executorsLost;
    }

    /// A random time after the driver was started, or after a random number of further shards.
    private void awaitMoment(LocalCluster cluster, Process driver, Output output) {
        boolean early = random.nextInt(4) == 0;
        int before = output.parts();
        int shards = early ? 0 : before + random.nextInt(1, 4);
        Duration delay = Duration.ofMillis(random.nextInt(early ? 5000 : 1000));
        JavaProcesses.await(
                () -> output.parts() >= shards && !cluster.executors().isEmpty(), () -> said(cluster));
        long end = System.nanoTime() + delay.toNanos();
        JavaProcesses.await(
                () -> System.nanoTime() >= end || output.parts() >= before + SHARDS_PER_MOMENT - 1,
                () -> said(cluster));
        JavaProcesses.await(() -> !cluster.executors().isEmpty(), () -> said(cluster));
        assertThat(driver.isAlive())
                .as(() -> "the run was over before its last moment:\n" + said(cluster))
                .isTrue();
    }

    private String lastWords(LocalCluster cluster) {
        return cluster.said("driver" + starts)
                .lines()
                .filter(line -> line.contains(" rows (") || line.startsWith("first tokens"))
                .reduce((_, last) -> last)
                .orElse("nothing yet");
    }

    private ProcessHandle anyExecutor(LocalCluster cluster) {
        List<ProcessHandle> executors = cluster.executors();
        return executors.get(random.nextInt(executors.size()));
    }

    /// What a link of `/proc` points to; nothing if it is gone.
    private static String target(Path link) {
        try {
            return Files.readSymbolicLink(link).toString();
        } catch (IOException e) {
            return "";
        }
    }

    private static void kill(ProcessHandle process) {
        process.destroyForcibly();
        process.onExit().join();
    }

    private static void assertSameRows(Output undisturbed, Output disturbed) throws IOException {
        assertThat(disturbed.manifest().path("digest"))
                .isEqualTo(undisturbed.manifest().path("digest"));
        assertThat(disturbed.manifest().path("inputs"))
                .isEqualTo(undisturbed.manifest().path("inputs"));
        for (JsonNode file : disturbed.manifest().path("inputs")) {
            long out = 0;
            for (JsonNode count : file.path("counts")) {
                out += count.asLong();
            }
            assertThat(out).as(file.toString()).isEqualTo(file.path("rows").asLong());
        }
        List<Row> rows = disturbed.rows();
        assertThat(rows).isEqualTo(undisturbed.rows());
        assertThat(rows).extracting(row -> row.<String>getAs("request_id")).doesNotHaveDuplicates();
    }

    /// An output directory, and the counters of the engines that wrote to it.
    private final class Output {
        private final Path dir;
        private final Path counters;
        /// Of each committed file, read once: the run goes on meanwhile.
        private final Map<Path, Long> tokens = new HashMap<>();

        Output(String name) throws IOException {
            dir = KillIT.this.dir.resolve(name);
            counters = Files.createDirectory(KillIT.this.dir.resolve(name + "-counters"));
        }

        int parts() {
            try (Stream<Path> files = Files.exists(dir) ? Files.list(dir) : Stream.empty()) {
                return (int) files.filter(file -> file.toString().endsWith(".parquet"))
                        .count();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /// What an executor has open, as Linux shows it: the shard it is writing, or why there is none.
        String underWay(ProcessHandle executor) {
            Path process = Path.of("/proc", Long.toString(executor.pid()));
            try (Stream<Path> open = Files.list(process.resolve("fd"))) {
                List<String> shards = open.map(KillIT::target)
                        .filter(file ->
                                file.startsWith(dir.resolve("_millrace/staging").toString()))
                        .map(file -> file.replaceAll(".*/part-(\\w{8}).*", "shard $1 half written"))
                        .toList();
                if (!shards.isEmpty()) {
                    return String.join(", ", shards);
                }
                boolean opened = Files.readString(process.resolve("maps")).contains(counters.toString());
                return opened ? "no row finished of its shard" : "engine not open yet";
            } catch (IOException e) {
                return "not known: " + e.getClass().getSimpleName();
            }
        }

        /// Tokens of the rows that are safe.
        long committedTokens() {
            try (Stream<Path> files = Files.exists(dir) ? Files.list(dir) : Stream.empty()) {
                return files.filter(file -> file.toString().endsWith(".parquet"))
                        .mapToLong(file -> tokens.computeIfAbsent(file, Output::tokens))
                        .sum();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static long tokens(Path file) {
            RowSummary rows = CommittedShard.read(new org.apache.hadoop.fs.Path(file.toUri()), new Configuration())
                    .summary();
            return rows.promptTokens() + rows.completionTokens();
        }

        /// Tokens that all engines together have computed.
        long tokens() throws IOException {
            long tokens = 0;
            try (Stream<Path> files = Files.list(counters)) {
                for (Path file : files.toList()) {
                    ByteBuffer counted = ByteBuffer.wrap(Files.readAllBytes(file));
                    tokens += counted.getLong() + counted.getLong();
                }
            }
            return tokens;
        }

        JsonNode manifest() throws IOException {
            return new ObjectMapper().readTree(dir.resolve("_millrace/run.json").toFile());
        }

        /// All rows, less the columns that say how a row came about.
        List<Row> rows() {
            return FakeJob.withSpark(spark -> spark.read()
                    .parquet(dir.toString())
                    .drop(Completion.INCIDENTAL.toArray(String[]::new))
                    .orderBy("input_ref", "sample_idx")
                    .collectAsList());
        }
    }
}
