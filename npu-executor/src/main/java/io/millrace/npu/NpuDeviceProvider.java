package io.millrace.npu;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.device.Availability;
import io.millrace.engine.device.DeviceProvider;
import io.millrace.engine.kernel.Kernels;
import io.millrace.npu.Libraries.Library;
import io.millrace.npu.cards.AclStatus;
import io.millrace.npu.cards.CardEnvironment;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/// Huawei Ascend cards, through the libraries of CANN. Stateless; what is opened lives in its kernels.
public final class NpuDeviceProvider implements DeviceProvider {
    /// Where CANN's installers put the libraries, newest layout first; a process started after `set_env.sh`
    /// finds them through the loader's own path before these are looked at.
    private static final List<Path> INSTALLED =
            List.of(Path.of("/usr/local/Ascend/cann/lib64"), Path.of("/usr/local/Ascend/ascend-toolkit/latest/lib64"));

    /// An operator's first call loads its kernel, which takes seconds.
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    private static final int REPEATED_INIT = 100002;

    private final List<Path> folders;

    /// Looks where CANN is usually installed.
    public NpuDeviceProvider() {
        this(INSTALLED);
    }

    /// @param folders looked at in this order, after the loader's own path
    NpuDeviceProvider(List<Path> folders) {
        this.folders = List.copyOf(folders);
    }

    @Override
    public String name() {
        return "npu";
    }

    @Override
    public Availability availability() {
        Libraries libraries = Libraries.open(List.of(), folders);
        if (!libraries.has(Library.RUNTIME)) {
            return new Availability.Unavailable("no Ascend runtime: " + libraries.reason(Library.RUNTIME));
        }
        String place = "found " + libraries.place(Library.RUNTIME);
        try {
            return cards(Acl.of(libraries), place, missing(libraries));
        } catch (EngineException e) {
            return new Availability.Unavailable(place + "; " + e.getMessage());
        }
    }

    /// The libraries beside the runtime that are not there, and why.
    private static String missing(Libraries libraries) {
        return Arrays.stream(Library.values())
                .filter(library -> !libraries.has(library))
                .map(library -> "; without " + library.names.getFirst() + " (" + libraries.reason(library) + ")")
                .collect(Collectors.joining());
    }

    private static Availability cards(Acl acl, String place, String missing) {
        int init = acl.init().call(0L);
        if (init != 0 && init != REPEATED_INIT) {
            return new Availability.Unavailable(
                    place + "; aclInit: " + init + ", " + AclStatus.of(init).meaning());
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
            int status = acl.deviceCount().call(count.address());
            return status == 0
                    ? new Availability.Available(place + "; " + count.get(ValueLayout.JAVA_INT, 0) + " cards" + missing)
                    : new Availability.Unavailable(place + "; aclrtGetDeviceCount: " + status + ", "
                            + AclStatus.of(status).meaning());
        }
    }

    /// @param choice words with colons between, each of which may be left out: the card's logical id, else
    ///     the first that this process sees; `f32`, `bf16` or `int8`, else `f32`; a folder with CANN's
    ///     libraries, by a name with a slash, looked at before the usual ones
    @Override
    public Kernels open(String choice) {
        int card = 0;
        Arithmetic arithmetic = Arithmetic.F32;
        List<Path> places = new ArrayList<>();
        for (String word : choice.isEmpty() ? new String[0] : choice.split(":", -1)) {
            if (word.matches("[0-9]{1,4}")) {
                card = card(Integer.parseInt(word));
            } else if (word.contains("/")) {
                places.add(Path.of(word));
            } else {
                arithmetic = arithmetic(word, choice);
            }
        }
        return NpuKernels.open(Libraries.open(places, folders), card, arithmetic, PATIENCE);
    }

    private static int card(int logicalId) {
        try {
            return CardEnvironment.ofThisProcess().userId(logicalId);
        } catch (IllegalArgumentException e) {
            throw new EngineException(ErrorCode.BAD_CONFIGURATION, String.valueOf(e.getMessage()), e);
        }
    }

    private static Arithmetic arithmetic(String word, String choice) {
        return Arrays.stream(Arithmetic.values())
                .filter(known -> known.toString().equals(word))
                .findFirst()
                .orElseThrow(() -> new EngineException(
                        ErrorCode.BAD_CONFIGURATION,
                        "ring npu:" + choice + ": expected a card's number, one of "
                                + Arrays.toString(Arithmetic.values()) + " or a folder, got " + word));
    }
}
