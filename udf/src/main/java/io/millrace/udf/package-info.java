/// Spark executor side: rows become requests of the executor's engine, results become rows. What travels to
/// an executor is a {@link io.millrace.udf.GenerateRecipe}: strings and numbers.
@NullMarked
package io.millrace.udf;

import org.jspecify.annotations.NullMarked;
