package io.millrace.jobs.swebench;

import java.io.IOException;
import java.util.Objects;
import org.apache.spark.api.java.function.VoidFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;

/// Grades a prediction and commits its result. What is committed already is not graded again, however often
/// Spark runs the task.
///
/// @param hadoop configuration of the file systems
record GradeFunction(GradeRecipe recipe, Broadcast<SerializableConfiguration> hadoop) implements VoidFunction<String> {
    private static final long serialVersionUID = 1L;

    /// @param json an {@link Assignment}
    @Override
    public void call(String json) throws IOException, InterruptedException {
        Assignment assignment = Assignment.ofJson(json);
        Instance instance = assignment.instance();
        Prediction prediction = assignment.prediction();
        GradeStore store = new GradeStore(recipe.output(), recipe.runId(), hadoop.value().value());
        String patch = Objects.requireNonNull(prediction.patch(), "an empty patch is not tried");
        String fingerprint = assignment.fingerprint(recipe.environment(instance));
        store.commit(prediction, new Evaluation(recipe, instance, patch, fingerprint).run());
    }
}
