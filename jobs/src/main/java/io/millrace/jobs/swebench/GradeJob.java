package io.millrace.jobs.swebench;

import io.millrace.jobs.JobException;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hadoop.fs.Path;
import org.apache.spark.Success$;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.SerializableConfiguration;
import org.jspecify.annotations.Nullable;

/// Grades all predictions that have no grade yet, a Spark task each, and reports on the whole dataset.
///
/// @param predictions a file, or {@link Predictions#GOLD}
/// @param retryErrors whether what ended in an error, of the environment or not, is tried again
/// @param out for the result
/// @param err for progress
record GradeJob(
        GradeRecipe recipe,
        Dataset dataset,
        String predictions,
        boolean retryErrors,
        PrintWriter out,
        PrintWriter err) {

    /// Runs what is left to do.
    RunReport run(SparkSession session) {
        JavaSparkContext spark = JavaSparkContext.fromSparkContext(session.sparkContext());
        Map<String, Prediction> given = Predictions.read(predictions, dataset, spark.hadoopConfiguration());
        try {
            GradeStore store = new GradeStore(recipe.output(), recipe.runId(), spark.hadoopConfiguration());
            store.prepare();
            List<String> pending = pending(given, store);
            err.printf(
                    Locale.ROOT,
                    "%d instances, %d predictions, %d to be graded%n",
                    dataset.instances().size(),
                    given.size(),
                    pending.size());
            err.flush();
            grade(spark, pending);
            RunReport report = report(given, store);
            String model = given.values().iterator().next().modelFolder();
            Path file = store.put(model + "." + recipe.runId() + ".json", report.toJson());
            store.finish();
            print(report, file);
            return report;
        } catch (IOException e) {
            throw new JobException("output " + recipe.output() + ": expected to be writable, got " + e.getMessage(), e);
        }
    }

    private List<String> pending(Map<String, Prediction> given, GradeStore store) {
        List<String> pending = new ArrayList<>();
        for (Prediction prediction : given.values()) {
            Instance instance = dataset.instances().get(prediction.instanceId());
            if (prediction.isEmpty() || instance == null) {
                continue;
            }
            Assignment assignment = new Assignment(instance, prediction);
            if (isPending(store.read(prediction), assignment)) {
                pending.add(assignment.toJson());
            }
        }
        return pending;
    }

    private boolean isPending(@Nullable Grade grade, Assignment assignment) {
        return grade == null
                || !grade.fingerprint().equals(assignment.fingerprint(recipe.environment(assignment.instance())))
                || (retryErrors && grade.outcome().isError());
    }

    private void grade(JavaSparkContext spark, List<String> pending) {
        if (pending.isEmpty()) {
            return;
        }
        AtomicInteger done = new AtomicInteger();
        SparkListener progress = new SparkListener() {
            @Override
            public void onTaskEnd(SparkListenerTaskEnd end) {
                if (end.reason() instanceof Success$) {
                    err.printf(Locale.ROOT, "%d of %d graded%n", done.incrementAndGet(), pending.size());
                    err.flush();
                }
            }
        };
        spark.sc().addSparkListener(progress);
        try {
            spark.parallelize(pending, pending.size())
                    .foreach(new GradeFunction(
                            recipe, spark.broadcast(new SerializableConfiguration(spark.hadoopConfiguration()))));
        } finally {
            spark.sc().removeSparkListener(progress);
        }
    }

    private RunReport report(Map<String, Prediction> given, GradeStore store) {
        TreeSet<String> empty = new TreeSet<>();
        SortedMap<String, Grade> grades = new TreeMap<>();
        for (Prediction prediction : given.values()) {
            Grade grade = prediction.isEmpty() ? null : store.read(prediction);
            if (prediction.isEmpty()) {
                empty.add(prediction.instanceId());
            } else if (grade != null) {
                grades.put(prediction.instanceId(), grade);
            }
        }
        return new RunReport(new TreeSet<>(dataset.instances().keySet()), new TreeSet<>(given.keySet()), empty, grades);
    }

    private void print(RunReport report, Path file) {
        int total = report.dataset().size();
        int resolved = report.resolved().size();
        line("instances", total);
        line("submitted", report.submitted().size());
        line("incomplete", report.incomplete().size());
        line("empty patches", report.empty().size());
        line("errors", report.error().size());
        line("of the environment", report.environment().size());
        line("unresolved", report.unresolved().size());
        line("resolved", resolved);
        out.printf(Locale.ROOT, "%-20s%.2f %%%n", "score", total == 0 ? 0 : 100.0 * resolved / total);
        out.printf(Locale.ROOT, "%-20s%s%n", "report", file);
        report.grades().values().stream()
                .filter(grade -> grade.message() != null)
                .forEach(grade -> out.printf(
                        Locale.ROOT,
                        "%s: %s: %s%n",
                        grade.instanceId(),
                        grade.outcome().name().toLowerCase(Locale.ROOT),
                        grade.message()));
        out.flush();
    }

    private void line(String name, int count) {
        out.printf(Locale.ROOT, "%-20s%d%n", name, count);
    }
}
