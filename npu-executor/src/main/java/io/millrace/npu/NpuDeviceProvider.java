package io.millrace.npu;

import io.millrace.engine.device.Availability;
import io.millrace.engine.device.DeviceProvider;
import java.nio.file.Path;
import java.util.List;

/// Huawei Ascend cards, through the runtime library of CANN. This version looks for the library and says
/// what it found; it computes nothing on a card, so it is never available. Stateless.
public final class NpuDeviceProvider implements DeviceProvider {
    /// Where CANN's installers put the library, newest layout first; a process started after `set_env.sh`
    /// finds it through the loader's own path before these are looked at.
    private static final List<Path> INSTALLED =
            List.of(Path.of("/usr/local/Ascend/cann/lib64"), Path.of("/usr/local/Ascend/ascend-toolkit/latest/lib64"));

    private final AscendLibrary library;

    /// Looks where CANN is usually installed.
    public NpuDeviceProvider() {
        this(INSTALLED);
    }

    NpuDeviceProvider(List<Path> folders) {
        this.library = new AscendLibrary(folders);
    }

    @Override
    public String name() {
        return "npu";
    }

    @Override
    public Availability availability() {
        return new Availability.Unavailable(
                switch (library.find()) {
                    case AscendLibrary.Found(String place) ->
                        "found " + place + "; this version computes on the CPU only";
                    case AscendLibrary.NotFound(String reason) -> reason;
                });
    }
}
