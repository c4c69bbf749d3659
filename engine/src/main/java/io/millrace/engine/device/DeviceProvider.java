package io.millrace.engine.device;

/// A kind of device and whether this process can compute on it. Found by {@link java.util.ServiceLoader}, so
/// a second accelerator is a second jar on the class path; implementations are public, have a constructor
/// without arguments, and do nothing before they are asked.
public interface DeviceProvider {
    /// The name in a configuration: `cpu`, `npu`; lower case, unique on the class path.
    String name();

    /// Looks at this machine anew. Never throws because a device, driver or library is missing or damaged:
    /// that is an {@link Availability.Unavailable} with the reason.
    Availability availability();
}
