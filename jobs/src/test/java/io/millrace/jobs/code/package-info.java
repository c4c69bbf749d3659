@NullMarked
package io.millrace.jobs.code;

import org.jspecify.annotations.NullMarked;
