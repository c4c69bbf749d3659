/// Runs programs that nobody has read, such as those that a model wrote, where they can do no harm. Knows no
/// Spark: it runs on executors.
@NullMarked
package io.millrace.udf.sandbox;

import org.jspecify.annotations.NullMarked;
