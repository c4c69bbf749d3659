package io.millrace.engine.device;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.kernel.Kernels;

/// A kind of device and whether this process can compute on it. Found by {@link java.util.ServiceLoader}, so
/// a second accelerator is a second jar on the class path; implementations are public, have a constructor
/// without arguments, and do nothing before they are asked.
public interface DeviceProvider {
    /// The name in a configuration: `cpu`, `npu`; lower case, unique on the class path.
    String name();

    /// Looks at this machine anew. Never throws because a device, driver or library is missing or damaged:
    /// that is an {@link Availability.Unavailable} with the reason.
    Availability availability();

    /// Kernels that compute on the device, and own it until they are closed.
    ///
    /// @param choice which device of the kind and how it computes, in the provider's own words; empty for
    ///     the first
    /// @throws EngineException BAD_CONFIGURATION for a choice that it does not have or if it computes
    ///     outside of this process; DEVICE_FAILED if the device cannot be had
    default Kernels open(String choice) {
        throw new EngineException(
                ErrorCode.BAD_CONFIGURATION,
                "ring " + name() + ": expected a device that computes in this process, got one that does not");
    }
}
