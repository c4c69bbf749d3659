package io.millrace.architecture.violations.engine.kernel;

import io.millrace.architecture.violations.engine.model.UsesKernels;

/// Kernels below the model that know it: a wrong import and half of a cycle.
public record KnowsTheModel(UsesKernels user) {}
