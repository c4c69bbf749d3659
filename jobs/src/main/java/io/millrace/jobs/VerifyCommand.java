package io.millrace.jobs;

import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `millrace verify`: whether an output is what its manifest says.
@Command(
        name = "verify",
        mixinStandardHelpOptions = true,
        description = {
            "Reads a finished output again, computes counts and digests anew and compares them with its manifest.",
            "Ends with 4 and says what differs, if anything does."
        })
final class VerifyCommand implements Callable<Integer> {
    private static final int SHOWN = 20;

    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(paramLabel = "OUTPUT", description = "Directory of the run.")
    private String output = "";

    @Option(names = "--master", paramLabel = "URL", description = "Spark master. Default: local[*].")
    private String master = "local[*]";

    @Override
    public Integer call() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the spec before it calls the command");
        }
        PrintWriter out = spec.commandLine().getOut();
        SparkSession session = SparkSessions.open("millrace verify", master);
        try {
            Verification found = Verification.of(JavaSparkContext.fromSparkContext(session.sparkContext()), output);
            print(found, out);
            return found.differences().isEmpty() ? ExitCode.OK : ExitCode.DIFFERS;
        } finally {
            session.stop();
        }
    }

    private static void print(Verification found, PrintWriter out) {
        List<String> differences = found.differences();
        differences.stream().limit(SHOWN).forEach(out::println);
        if (differences.size() > SHOWN) {
            out.println("and " + (differences.size() - SHOWN) + " more");
        }
        out.printf(
                Locale.ROOT,
                "%s: %,d shards, %,d rows, digest %s%n",
                differences.isEmpty() ? "as its manifest says" : "differs from its manifest",
                found.shards(),
                found.rows().rows(),
                found.rows().digest());
        out.flush();
    }
}
