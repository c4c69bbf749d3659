/// `millrace evaluate`: task files of lm-evaluation-harness, the requests they make, the metrics of the
/// answers, and results in the harness's own files.
@NullMarked
package io.millrace.jobs.evaluate;

import org.jspecify.annotations.NullMarked;
