/// The instructions of IFEval (Zhou et al. 2023, arXiv 2311.07911) and whether an answer follows them,
/// by the checks of lm-evaluation-harness's task `ifeval`, version 4.
@NullMarked
package io.millrace.jobs.evaluate.ifeval;

import org.jspecify.annotations.NullMarked;
