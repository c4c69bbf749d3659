package io.millrace.jobs.report;

import io.millrace.jobs.ExitCode;
import io.millrace.jobs.JobException;
import io.millrace.jobs.SparkSessions;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `millrace compare`: what tells two runs over the same input apart.
@Command(
        name = "compare",
        mixinStandardHelpOptions = true,
        description = {
            "Pairs the rows of two runs over the same input, and what their jobs found about the same things,",
            "and says how much the pairs differ, with intervals, and which changed."
        })
public final class CompareCommand implements Callable<Integer> {
    private static final String COMPLETIONS = "completions";

    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(index = "0", paramLabel = "RUN_A", description = "Output directory of the first run or job.")
    private String first = "";

    @Parameters(index = "1", paramLabel = "RUN_B", description = "Output directory of the second.")
    private String second = "";

    @Option(
            names = "--out",
            paramLabel = "FILE",
            description = "HTML file of this host to write, with the rows that changed side by side.")
    private @Nullable Path out;

    @Option(names = "--seed", paramLabel = "N", description = "Seed of the resamples. Default: 0.")
    private long seed;

    @Option(names = "--master", paramLabel = "URL", description = "Spark master. Default: local[*].")
    private String master = "local[*]";

    @Override
    public Integer call() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the spec before it calls the command");
        }
        SparkSession session = SparkSessions.open("millrace compare", master);
        try {
            ComparePage page = compare(session);
            print(page, spec.commandLine().getOut());
            return ExitCode.OK;
        } finally {
            session.stop();
        }
    }

    private ComparePage compare(SparkSession session) {
        Configuration conf = session.sparkContext().hadoopConfiguration();
        RunFolder a = RunFolder.open(first, conf);
        RunFolder b = RunFolder.open(second, conf);
        RunFolder runA = run(a);
        RunFolder runB = run(b);
        List<Comparison> comparisons = new ArrayList<>(new JobPairs(seed).compare(a, b));
        if (runA.hasRows() && runB.hasRows()) {
            comparisons.add(RowPairs.compare(session, runA, runB, seed));
        }
        if (comparisons.isEmpty()) {
            throw new JobException("expected two runs with rows, or two jobs that found something about the same"
                    + " things, got " + a.location() + " and " + b.location());
        }
        return new ComparePage(a, b, runA, runB, comparisons);
    }

    private static RunFolder run(RunFolder output) {
        RunFolder run = output.isRun() ? output : output.folder(COMPLETIONS);
        if (run.isRun()) {
            // rows that this version cannot read are not compared in part
            run.manifest();
        }
        return run;
    }

    private void print(ComparePage page, PrintWriter writer) {
        for (Comparison comparison : page.comparisons()) {
            writer.println(comparison.title() + ": " + ComparePage.summary(comparison));
            writer.printf(
                    Locale.ROOT,
                    "  %-26s%9s%13s%13s%13s  %-26s%s%n",
                    "figure",
                    "pairs",
                    "A",
                    "B",
                    "B - A",
                    "95 % interval",
                    "p");
            for (Paired.Line line : comparison.lines()) {
                writer.printf(
                        Locale.ROOT,
                        "  %-26s%,9d%13s%13s%13s  %-26s%s%n",
                        line.name(),
                        line.pairs(),
                        Numbers.plain(line.a()),
                        Numbers.plain(line.b()),
                        Numbers.plain(line.difference().mean()),
                        "[" + Numbers.plain(line.difference().low()) + ", "
                                + Numbers.plain(line.difference().high()) + "]",
                        line.isBinary() ? Numbers.plain(line.p()) : "");
            }
        }
        if (out != null) {
            ReportCommand.write(out.toAbsolutePath(), page.html());
            writer.println("comparison  " + out.toAbsolutePath());
        }
        writer.flush();
    }
}
