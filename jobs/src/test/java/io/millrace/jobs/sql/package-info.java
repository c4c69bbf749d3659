@NullMarked
package io.millrace.jobs.sql;

import org.jspecify.annotations.NullMarked;
