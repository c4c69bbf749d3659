package io.millrace.engine.device;

import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Stream;

/// The devices this process knows of.
public final class Devices {
    private Devices() {}

    /// The CPU, then whatever else is on the class path, by name.
    public static List<DeviceProvider> providers() {
        Stream<DeviceProvider> others =
                ServiceLoader.load(DeviceProvider.class, DeviceProvider.class.getClassLoader()).stream()
                        .map(ServiceLoader.Provider::get)
                        .sorted((a, b) -> a.name().compareTo(b.name()));
        return Stream.concat(Stream.of(new CpuDeviceProvider()), others).toList();
    }
}
