package io.millrace.quality;

import io.millrace.quality.Verdict.FailingRow;
import io.millrace.quality.Verdict.RuleResult;
import io.millrace.quality.Verdict.Status;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `audit`: judges one output now, prints what it found and ends with the exit code of the verdict.
@Command(
        name = "audit",
        description = "Judge one committed output now.",
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:the gate passed", "1:no verdict was reached", "2:wrong usage", "3:the gate failed"})
final class AuditCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Mixin
    private SparkOptions sparkOptions = new SparkOptions();

    @Option(names = "--output", required = true, paramLabel = "PARQUET", description = "Output to judge; repeatable.")
    private List<String> output = List.of();

    @Option(names = "--rules", paramLabel = "FILE", description = "Rules (YAML); the starter rules by default.")
    private @Nullable Path rules;

    @Option(names = "--verdict", required = true, paramLabel = "FILE", description = "Where to write the verdict.")
    private Path verdict = Path.of("verdict.json");

    @Option(names = "--metrics", paramLabel = "FILE", description = "Where to write the metrics.")
    private @Nullable Path metrics;

    @Option(names = "--metrics-repository", paramLabel = "FILE", description = "Deequ metrics repository to append to.")
    private @Nullable String metricsRepository;

    @Option(
            names = "--quarantine",
            paramLabel = "DIR",
            description = "Where to write rows that quarantine rules name; must not exist.")
    private @Nullable String quarantine;

    @Option(names = "--input-count", paramLabel = "N", description = "Rows that the output must have.")
    private @Nullable Long inputCount;

    @Option(
            names = "--input",
            paramLabel = "PARQUET",
            description = "Input whose rows the output must match in number, samples counted; repeatable.")
    private List<String> input = List.of();

    @Option(names = "--samples", paramLabel = "N", description = "Answers per input row, for --input. Default 1.")
    private int samples = 1;

    @Option(names = "--tag", paramLabel = "KEY=VALUE", description = "What the run was; repeatable.")
    private Map<String, String> tags = new LinkedHashMap<>();

    @Override
    public Integer call() {
        Instant start = Instant.now();
        try (AuditSession session = sparkOptions.open()) {
            Verdict found = judge(session.spark());
            VerdictFile.write(verdict, found, Duration.between(start, Instant.now()), session.versions());
            print(found);
            return found.outcome().exitCode();
        }
    }

    private Verdict judge(SparkSession spark) {
        try {
            return new Audit(spark, InstantSource.system())
                    .judge(new AuditRequest(
                            output,
                            rules,
                            expectedRows(spark),
                            Map.of(),
                            input,
                            samples,
                            verdict,
                            metrics,
                            metricsRepository == null
                                    ? null
                                    : new AuditRequest.History(metricsRepository, OptionalLong.empty()),
                            quarantine,
                            tags));
        } catch (AuditException e) {
            return Verdict.error(e.getMessage(), tags);
        }
    }

    private OptionalLong expectedRows(SparkSession spark) {
        Long count = inputCount;
        if (count != null) {
            return OptionalLong.of(count);
        }
        if (input.isEmpty()) {
            return OptionalLong.empty();
        }
        try {
            Dataset<Row> rows = spark.read().parquet(input.toArray(String[]::new));
            return OptionalLong.of(Math.multiplyExact(rows.count(), samples));
        } catch (Exception e) {
            // Scala throws the checked AnalysisException without declaring it
            throw new AuditException("input " + input + ": cannot be read as Parquet: " + Audit.explain(e), e);
        }
    }

    private void print(Verdict found) {
        CommandSpec command = spec;
        if (command == null) {
            return;
        }
        PrintWriter out = command.commandLine().getOut();
        out.println(found.message());
        for (RuleResult rule : found.rules()) {
            if (rule.status() == Status.FAIL) {
                out.println(rule.level().word() + " " + rule.name() + ": " + rule.message());
                for (FailingRow row : rule.examples()) {
                    out.println("  " + row.requestId() + " " + row.file() + " row group " + row.rowGroup() + " row "
                            + row.row() + " sample " + row.sampleIdx() + " [" + row.status() + "] " + row.excerpt());
                }
            }
        }
        out.flush();
    }
}
