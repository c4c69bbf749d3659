package io.millrace.architecture.violations.udf;

import io.millrace.architecture.violations.engine.kernel.KnowsTheModel;

record KnowsKernels(KnowsTheModel kernels) {}
