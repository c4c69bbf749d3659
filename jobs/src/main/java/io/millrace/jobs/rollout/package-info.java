/// `millrace rollout`: conversations with tools, one for each row, and what is made of their logs.
@NullMarked
package io.millrace.jobs.rollout;

import org.jspecify.annotations.NullMarked;
