package io.millrace.jobs.report;

import io.millrace.jobs.ExitCode;
import io.millrace.jobs.JobException;
import io.millrace.jobs.SparkSessions;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `millrace report`: what a run was, as one HTML file.
@Command(
        name = "report",
        mixinStandardHelpOptions = true,
        description = {
            "Writes one HTML file about a run, or about a job and its run, that needs nothing else to be read.",
            "Of a run that is not complete, about what is committed."
        })
public final class ReportCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(paramLabel = "OUTPUT", description = "Output directory of the run or job.")
    private String output = "";

    @Option(
            names = "--out",
            paramLabel = "FILE",
            description = "File of this host to write. Default: OUTPUT/_millrace/report.html.")
    private @Nullable Path out;

    @Option(names = "--master", paramLabel = "URL", description = "Spark master. Default: local[*].")
    private String master = "local[*]";

    @Override
    public Integer call() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the spec before it calls the command");
        }
        PrintWriter writer = spec.commandLine().getOut();
        SparkSession session = SparkSessions.open("millrace report", master);
        try {
            writer.println("report  " + write(session));
            writer.flush();
            return ExitCode.OK;
        } finally {
            session.stop();
        }
    }

    private String write(SparkSession session) {
        if (out == null) {
            return RunReport.write(session, output).toString();
        }
        Path file = out.toAbsolutePath();
        RunFolder folder = RunFolder.open(output, session.sparkContext().hadoopConfiguration());
        write(
                file,
                RunReport.html(
                        session,
                        folder,
                        new org.apache.hadoop.fs.Path(folderOf(file).toUri())));
        return file.toString();
    }

    private static Path folderOf(Path file) {
        return Objects.requireNonNull(file.getParent(), "an absolute file has a folder");
    }

    /// Writes a file of this host.
    static void write(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new JobException(file + ": expected to be writable, got " + e.getMessage(), e);
        }
    }
}
