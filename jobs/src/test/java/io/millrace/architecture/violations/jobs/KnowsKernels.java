package io.millrace.architecture.violations.jobs;

import io.millrace.architecture.violations.engine.kernel.KnowsTheModel;

record KnowsKernels(KnowsTheModel kernels) {}
