@NullMarked
package io.millrace.jobs.evaluate.ifeval;

import org.jspecify.annotations.NullMarked;
