@NullMarked
package io.millrace.jobs.report;

import org.jspecify.annotations.NullMarked;
