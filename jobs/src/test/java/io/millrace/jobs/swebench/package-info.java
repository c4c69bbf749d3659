@NullMarked
package io.millrace.jobs.swebench;

import org.jspecify.annotations.NullMarked;
