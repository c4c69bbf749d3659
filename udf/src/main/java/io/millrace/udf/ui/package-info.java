/// What executors report, in Spark's UI while the application runs and in the history server after it.
@NullMarked
package io.millrace.udf.ui;

import org.jspecify.annotations.NullMarked;
