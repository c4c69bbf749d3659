package io.millrace.engine.cache;

import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.tensor.Floats;

/// Floats of its own, copied on the device.
final class FloatsCopy {
    private FloatsCopy() {}

    static Floats of(Kernels kernels, Floats source, int offset, int count) {
        Floats copy = kernels.allocate(count);
        kernels.copy(source, offset, copy, 0, count);
        return copy;
    }
}
