package io.millrace.quality;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.schemas.AuditExchange;
import io.millrace.schemas.AuditExchange.Ready;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.apache.spark.sql.SparkSession;

/// Serves requests that appear in a directory until a file named `stop` does.
///
/// A request is any `request*.json`; it is judged once and renamed with `.done` at its end. Its verdict and
/// metrics go where it says, or to `verdict*.json` and `metrics*.json` beside it. Whatever is wrong with a
/// request becomes a verdict of `error`; the loop goes on.
final class RequestLoop {

    private static final Duration POLL = Duration.ofMillis(100);

    private final Path folder;
    private final SparkSession spark;
    private final Map<String, String> versions;
    private final InstantSource clock;
    private final Audit audit;
    private int errors;
    private int failures;

    RequestLoop(Path folder, SparkSession spark, Map<String, String> versions, InstantSource clock) {
        this.folder = folder;
        this.spark = spark;
        this.versions = versions;
        this.clock = clock;
        this.audit = new Audit(spark, clock);
    }

    /// Says that the auditor is ready, then serves until it is asked to stop.
    ///
    /// @param startup time from the start of the process
    void run(Duration startup) throws IOException {
        announce(startup);
        while (true) {
            Optional<Path> request = next();
            if (request.isPresent()) {
                serve(request.get());
            } else if (Files.exists(folder.resolve(AuditExchange.STOP_FILE))) {
                return;
            } else if (spark.sparkContext().isStopped()) {
                throw new AuditException("the Spark context of the auditor stopped");
            } else {
                LockSupport.parkNanos(POLL.toNanos());
            }
        }
    }

    /// What the process ends with, after the loop: the worst of its verdicts.
    int exitCode() {
        if (errors > 0) {
            return AuditExchange.ExitCode.ERROR;
        }
        return failures > 0 ? AuditExchange.ExitCode.GATE_FAILED : AuditExchange.ExitCode.PASS;
    }

    private void announce(Duration startup) {
        ObjectNode ready = new ObjectMapper().createObjectNode();
        ready.put(Ready.PID, ProcessHandle.current().pid());
        ready.put(Ready.STARTUP_MS, startup.toMillis());
        VerdictFile.texts(ready.putObject(Ready.VERSIONS), versions);
        VerdictFile.writeWhole(folder.resolve(AuditExchange.READY_FILE), VerdictFile.text(ready));
    }

    private Optional<Path> next() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(RequestLoop::isRequest).sorted().findFirst();
        }
    }

    private static boolean isRequest(Path file) {
        String name = file.getFileName().toString();
        return name.startsWith("request") && name.endsWith(".json");
    }

    private void serve(Path file) throws IOException {
        Instant start = clock.instant();
        String suffix = file.getFileName().toString().substring("request".length());
        Path verdictFile = folder.resolve("verdict" + suffix);
        String json = Files.readString(file);
        Verdict verdict;
        try {
            AuditRequest request =
                    AuditRequest.parse(file.toString(), json, verdictFile, folder.resolve("metrics" + suffix));
            verdictFile = request.verdict();
            verdict = audit.judge(request);
        } catch (AuditException e) {
            verdictFile = AuditRequest.verdictOf(json, verdictFile);
            verdict = Verdict.error(e.getMessage(), Map.of());
        }
        count(verdict);
        // the request goes first: whoever sees the verdict may put the next request in its place
        Files.move(file, file.resolveSibling(file.getFileName() + ".done"), StandardCopyOption.REPLACE_EXISTING);
        VerdictFile.write(verdictFile, verdict, Duration.between(start, clock.instant()), versions);
    }

    private void count(Verdict verdict) {
        switch (verdict.outcome()) {
            case PASS -> {}
            case FAIL -> failures++;
            case ERROR -> errors++;
        }
    }
}
