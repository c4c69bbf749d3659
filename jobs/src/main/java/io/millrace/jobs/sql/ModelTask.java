package io.millrace.jobs.sql;

import io.millrace.udf.GenerateRecipe;
import java.io.Serializable;
import java.time.Duration;

/// What tasks are told of a call.
///
/// @param generate how rows are asked about
/// @param patience how long the engine may go without a step while a row waits for it
record ModelTask(CallRecipe call, GenerateRecipe generate, Duration patience) implements Serializable {}
