package io.millrace.udf.ui;

import org.apache.spark.scheduler.SparkListenerEvent;

/// An executor's figures in the event log: what the history server shows is the last one of each.
public record InferenceUpdate(ExecutorView view) implements SparkListenerEvent {}
