@NullMarked
package io.millrace.jobs.evaluate.python;

import org.jspecify.annotations.NullMarked;
