@NullMarked
package io.millrace.jobs.serve;

import org.jspecify.annotations.NullMarked;
