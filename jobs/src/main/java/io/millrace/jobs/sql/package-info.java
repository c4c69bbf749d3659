/// Functions of Spark SQL that ask the model: `spark.sql.extensions=io.millrace.jobs.sql.MillraceExtensions`.
///
/// A call is planned as Spark plans its Python functions: the analyzer gives it a column of its own in a
/// projection ({@link io.millrace.jobs.sql.CallColumns}), the optimizer makes an operator of that
/// ({@link io.millrace.jobs.sql.AskModels}), and the operator's tasks hand rows to the executor's engine by
/// the window, as a job's do.
@NullMarked
package io.millrace.jobs.sql;

import org.jspecify.annotations.NullMarked;
