package io.millrace.architecture.violations.engine.tensor;

/// Breaks nothing; others break rules by using it.
public final class Plain {}
