@NullMarked
package io.millrace.jobs.generate;

import org.jspecify.annotations.NullMarked;
