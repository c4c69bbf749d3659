package io.millrace.npu;

import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The runtime library of CANN, `libascendcl.so`: where it is, and whether it is that. Opening it calls
/// nothing in it. A library once opened stays so until the process ends: CANN starts threads that outlive an
/// unloading.
final class AscendLibrary {
    private static final String NAME = "libascendcl.so";

    /// The first call of every program that uses the library, so its presence tells the library from a
    /// namesake.
    private static final String FIRST_CALL = "aclInit";

    /// What a search came to.
    sealed interface Search {}

    /// @param place the file, or the bare name if the loader found it on its own path
    record Found(String place) implements Search {}

    /// @param reason every place looked at, with what was wrong there
    record NotFound(String reason) implements Search {}

    private final List<Path> folders;

    /// @param folders looked at in this order, after the loader's own path
    AscendLibrary(List<Path> folders) {
        this.folders = List.copyOf(folders);
    }

    Search find() {
        List<String> misses = new ArrayList<>();
        if (opens(NAME, misses)) {
            return new Found(NAME + " on the loader's path");
        }
        for (Path folder : folders) {
            Path file = folder.resolve(NAME);
            if (!Files.exists(file)) {
                misses.add(file + ": no such file");
            } else if (opens(file.toString(), misses)) {
                return new Found(file.toString());
            }
        }
        return new NotFound("no Ascend runtime: " + String.join("; ", misses));
    }

    @SuppressWarnings("restricted")
    private static boolean opens(String nameOrFile, List<String> misses) {
        try {
            boolean complete = SymbolLookup.libraryLookup(nameOrFile, Arena.global())
                    .find(FIRST_CALL)
                    .isPresent();
            if (!complete) {
                misses.add(nameOrFile + ": opened, but " + FIRST_CALL + " is not in it");
            }
            return complete;
        } catch (IllegalArgumentException _) {
            misses.add(nameOrFile + ": the loader cannot open it");
            return false;
        }
    }
}
