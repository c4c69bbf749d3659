package io.millrace.npu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;

/// The libraries of CANN, each found by itself: in folders that were asked for, on the loader's path, in the
/// usual folders. Symbols are looked up library by library and never in all of them at once: vendors'
/// packages export operators under the names of CANN's with other arguments. A library once opened stays so
/// until the process ends: CANN starts threads that outlive an unloading.
@SuppressWarnings("restricted")
final class Libraries {
    /// What is opened, the first name first; releases from 9 on split the operators.
    enum Library {
        RUNTIME("libascendcl.so"),
        BASE("libnnopbase.so"),
        OPERATORS("libopapi.so", "libopapi_math.so", "libopapi_nn.so", "libopapi_transformer.so"),
        COLLECTIVES("libhccl.so");

        @SuppressWarnings("ImmutableEnumChecker") // List.of
        final List<String> names;

        Library(String... names) {
            this.names = List.of(names);
        }
    }

    /// An opened library.
    ///
    /// @param place the file, or that the loader found it
    private record Opened(String place, SymbolLookup symbols) {}

    private final Map<Library, List<Opened>> opened = new EnumMap<>(Library.class);
    private final Map<Library, String> misses = new EnumMap<>(Library.class);

    /// @param first folders looked at before the loader's own path
    /// @param then folders looked at after it
    static Libraries open(List<Path> first, List<Path> then) {
        Libraries libraries = new Libraries();
        for (Library library : Library.values()) {
            libraries.open(library, first, then);
        }
        return libraries;
    }

    private void open(Library library, List<Path> first, List<Path> then) {
        List<Opened> found = new ArrayList<>();
        StringJoiner missed = new StringJoiner("; ");
        for (String name : library.names) {
            open(name, first, then, found, missed);
        }
        opened.put(library, found);
        misses.put(library, missed.toString());
    }

    private static void open(String name, List<Path> first, List<Path> then, List<Opened> found, StringJoiner missed) {
        if (inFolders(name, first, found, missed) || lookup(name, found, name + " on the loader's path")) {
            return;
        }
        missed.add(name + ": the loader cannot open it");
        inFolders(name, then, found, missed);
    }

    private static boolean inFolders(String name, List<Path> folders, List<Opened> found, StringJoiner missed) {
        for (Path folder : folders) {
            Path file = folder.resolve(name);
            if (!Files.exists(file)) {
                missed.add(file + ": no such file");
            } else if (lookup(file.toString(), found, file.toString())) {
                return true;
            } else {
                missed.add(file + ": the loader cannot open it");
            }
        }
        return false;
    }

    private static boolean lookup(String nameOrFile, List<Opened> found, String place) {
        try {
            found.add(new Opened(place, SymbolLookup.libraryLookup(nameOrFile, Arena.global())));
            return true;
        } catch (IllegalArgumentException _) {
            return false;
        }
    }

    boolean has(Library library) {
        return !opened.getOrDefault(library, List.of()).isEmpty();
    }

    /// Where a library is.
    String place(Library library) {
        return opened.getOrDefault(library, List.of()).getFirst().place();
    }

    /// Why a library is not there: every place looked at.
    String reason(Library library) {
        return misses.getOrDefault(library, "");
    }

    Optional<NativeFunction> find(Library library, String name) {
        for (Opened one : opened.getOrDefault(library, List.of())) {
            Optional<MemorySegment> symbol = one.symbols().find(name);
            if (symbol.isPresent()) {
                return Optional.of(new NativeFunction(name, symbol.get()));
            }
        }
        return Optional.empty();
    }
}
