@NullMarked
package io.millrace.jobs.plan;

import org.jspecify.annotations.NullMarked;
