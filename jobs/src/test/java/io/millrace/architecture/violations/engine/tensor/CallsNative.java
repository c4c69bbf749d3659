package io.millrace.architecture.violations.engine.tensor;

import java.lang.foreign.Linker;

record CallsNative(Linker linker) {}
