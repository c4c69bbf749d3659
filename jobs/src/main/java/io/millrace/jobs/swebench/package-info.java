/// SWE-bench: patches asked of the model, applied, tested and graded by the official rules.
@NullMarked
package io.millrace.jobs.swebench;

import org.jspecify.annotations.NullMarked;
