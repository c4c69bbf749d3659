/// `millrace report` and `millrace compare`: what a run was, and what tells two runs apart, as one HTML
/// file.
@NullMarked
package io.millrace.jobs.report;

import org.jspecify.annotations.NullMarked;
