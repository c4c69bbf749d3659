package io.millrace.engine.kernel;

import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.HostDoubles;
import io.millrace.engine.tensor.HostFloats;

/// The values of either ring's activations.
final class HostMemory {
    private HostMemory() {}

    static float[] floats(Floats floats) {
        return switch (floats) {
            case HostFloats host -> host.array();
            case HostDoubles host -> {
                float[] values = new float[host.size()];
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) host.array()[i];
                }
                yield values;
            }
            default -> throw new IllegalArgumentException(floats.getClass().getName());
        };
    }
}
