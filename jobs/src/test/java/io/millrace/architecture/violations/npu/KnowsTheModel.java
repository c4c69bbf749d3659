package io.millrace.architecture.violations.npu;

import io.millrace.architecture.violations.engine.model.UsesKernels;

record KnowsTheModel(UsesKernels user) {}
