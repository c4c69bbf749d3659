/// `millrace plan`: what a run will take, told before it begins, and how that compares with what it took.
@NullMarked
package io.millrace.jobs.plan;

import org.jspecify.annotations.NullMarked;
