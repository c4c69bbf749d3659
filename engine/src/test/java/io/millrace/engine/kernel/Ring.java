package io.millrace.engine.kernel;

import java.util.ArrayList;
import java.util.List;

/// A fast ring under test, on one thread and on three.
///
/// @param tolerance of sums of order one
record Ring(String name, Kernels one, Kernels three, double tolerance) implements AutoCloseable {

    /// The Vector API's and, where this machine has it, the compiled one.
    static List<Ring> open() {
        List<Ring> rings = new ArrayList<>();
        rings.add(new Ring("vector", new VectorKernels(1, "test"), new VectorKernels(3, "test"), 1e-5));
        if (NativeLibrary.functions() != null) {
            // operands of eight bits
            rings.add(new Ring("native", KernelProvider.open("native", 1), KernelProvider.open("native", 3), 3e-2));
        }
        return rings;
    }

    @Override
    public String toString() {
        return name;
    }

    @Override
    public void close() {
        one.close();
        three.close();
    }
}
