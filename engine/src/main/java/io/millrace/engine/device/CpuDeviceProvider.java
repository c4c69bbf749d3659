package io.millrace.engine.device;

import io.millrace.engine.kernel.KernelProvider;
import io.millrace.engine.kernel.Kernels;

/// The processors of this machine: always there, and the truth other devices are compared with.
final class CpuDeviceProvider implements DeviceProvider {
    static final String NAME = "cpu";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public Availability availability() {
        int processors = Runtime.getRuntime().availableProcessors();
        try (Kernels kernels = KernelProvider.open("auto", processors)) {
            return new Availability.Available(processors + " processors, " + kernels.description());
        }
    }
}
