package io.millrace.jobs.generate;

import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/// What a step of a pipeline does.
interface Step {

    /// All rows of the step, those it drops with the reason.
    ///
    /// @param in rows that the step before kept, of the shape of {@link PipelineRow}; empty for a first one
    Made run(Stage stage, Dataset<Row> in);

    /// Whether a model is asked.
    default boolean infers() {
        return false;
    }

    /// Whether programs are run that a model wrote.
    default boolean runsCode() {
        return false;
    }

    /// What files the step reads beside the rows, as they are now; part of what the step's output is of.
    default String files(Stage stage) {
        return "";
    }

    /// Whether it can be the first one.
    default boolean makesRows() {
        return false;
    }

    /// What a step made.
    ///
    /// @param rows of the shape of {@link PipelineRow}, kept and dropped ones
    /// @param expected how many they must be, counted another way
    record Made(Dataset<Row> rows, long expected) {}
}
