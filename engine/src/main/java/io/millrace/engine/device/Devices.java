package io.millrace.engine.device;

import io.millrace.engine.kernel.KernelProvider;
import io.millrace.engine.kernel.Kernels;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Stream;

/// The devices this process knows of.
public final class Devices {
    private Devices() {}

    /// Kernels of a ring: those of a device for its name or `NAME:CHOICE`, else the CPU's.
    ///
    /// @param ring see {@link io.millrace.engine.api.EngineConfig}
    /// @param threads worker threads of the CPU's rings
    public static Kernels open(String ring, int threads) {
        for (DeviceProvider provider : others()) {
            String prefix = provider.name() + ":";
            if (ring.equals(provider.name()) || ring.startsWith(prefix)) {
                return provider.open(ring.equals(provider.name()) ? "" : ring.substring(prefix.length()));
            }
        }
        return KernelProvider.open(ring, threads);
    }

    /// The CPU, then whatever else is on the class path, by name.
    public static List<DeviceProvider> providers() {
        return Stream.concat(Stream.of(new CpuDeviceProvider()), others().stream())
                .toList();
    }

    private static List<DeviceProvider> others() {
        return ServiceLoader.load(DeviceProvider.class, DeviceProvider.class.getClassLoader()).stream()
                .map(ServiceLoader.Provider::get)
                .sorted((a, b) -> a.name().compareTo(b.name()))
                .toList();
    }
}
