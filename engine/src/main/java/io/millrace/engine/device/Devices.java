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
            if (isOf(ring, provider)) {
                return provider.open(
                        ring.substring(Math.min(ring.length(), provider.name().length() + 1)));
            }
        }
        return KernelProvider.open(ring, threads);
    }

    /// Name of the device that a ring's kernels run on.
    public static String of(String ring) {
        return others().stream()
                .filter(provider -> isOf(ring, provider))
                .map(DeviceProvider::name)
                .findFirst()
                .orElse(CpuDeviceProvider.NAME);
    }

    private static boolean isOf(String ring, DeviceProvider provider) {
        return ring.equals(provider.name()) || ring.startsWith(provider.name() + ":");
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
