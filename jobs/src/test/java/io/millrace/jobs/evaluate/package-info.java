@NullMarked
package io.millrace.jobs.evaluate;

import org.jspecify.annotations.NullMarked;
