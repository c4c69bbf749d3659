@NullMarked
package io.millrace.jobs.rollout;

import org.jspecify.annotations.NullMarked;
