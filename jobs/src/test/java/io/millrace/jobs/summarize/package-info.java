@NullMarked
package io.millrace.jobs.summarize;

import org.jspecify.annotations.NullMarked;
