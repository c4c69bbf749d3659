package io.millrace.architecture.violations.engine.model;

import io.millrace.architecture.violations.engine.kernel.KnowsTheModel;
import org.jspecify.annotations.Nullable;

/// The other half of the cycle, and right.
public record UsesKernels(@Nullable KnowsTheModel kernels) {}
