/// The model on one machine. Open a {@link io.millrace.engine.LocalEngine} and submit requests; nothing here
/// knows Spark.
@NullMarked
package io.millrace.engine;

import org.jspecify.annotations.NullMarked;
