package io.millrace.jobs.report;

import io.millrace.jobs.Builds;
import io.millrace.jobs.JobException;
import java.io.PrintWriter;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.SparkSession;
import org.jsoup.nodes.Element;

/// The page about an output directory: what its job found, and what its run was.
public final class RunReport {
    /// Name of the page beside the manifest.
    public static final String FILE = "report.html";

    /// Where the jobs that have more than rows keep their run.
    private static final String COMPLETIONS = "completions";

    private RunReport() {}

    /// Writes the page beside the manifest.
    ///
    /// @return where
    /// @throws JobException if there is neither a run nor what a job has found
    public static Path write(SparkSession session, String output) {
        RunFolder folder = RunFolder.open(output, session.sparkContext().hadoopConfiguration());
        String html = html(session, folder, new Path(folder.path(), "_millrace"));
        return folder.writeAside(FILE, html);
    }

    /// Writes the page at a run's end, and says where. A page that cannot be written spoils no run: that
    /// is said then.
    public static void writeAtEnd(SparkSession session, String output, PrintWriter out, PrintWriter err) {
        try {
            out.println("report             " + write(session, output));
            out.flush();
        } catch (RuntimeException e) {
            err.println("millrace: report of " + output + ": expected to be written, got " + e.getMessage());
            err.flush();
        }
    }

    /// The page.
    ///
    /// @param place folder in which it will lie
    static String html(SparkSession session, RunFolder output, Path place) {
        RunFolder completions = output.folder(COMPLETIONS);
        RunParts run = null;
        if (output.isRun() || completions.isRun()) {
            run = RunParts.read(session, output.isRun() ? output : completions);
        }
        Page page =
                new Page((run == null ? "" : run.job() + ": ") + output.path().getName());
        Links links = new Links(output.path(), place);
        List<JobPart> jobs = List.of(
                new SummariesPart(),
                new EvaluationPart(),
                new CodePart(),
                new SwebenchPart(links),
                new RolloutPart(session, links),
                new FunnelPart());
        if (run != null) {
            run.tiles(page.top());
            if (run.hasRouge()) {
                Element section = page.section("rouge", "ROUGE");
                run.rouge(section);
            }
        }
        jobs.forEach(job -> job.write(output, page));
        if (run != null) {
            run.write(page);
        } else if (page.isEmpty()) {
            throw new JobException("output " + output.location()
                    + ": expected a run (_millrace/run.json) or what a job has found, got neither");
        }
        return page.html("Written by Millrace " + Builds.version() + " at "
                + Instant.now().truncatedTo(ChronoUnit.SECONDS) + " about " + output.location());
    }
}
