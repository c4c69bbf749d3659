package io.millrace.engine.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The compiled kernels of `src/main/c/millrace.h`, if this jar carries them for this platform. Loaded once and never
/// unloaded. Native access is what this class is for: `--enable-native-access` grants it.
@SuppressWarnings("restricted")
final class NativeLibrary {
    /// Instruction sets; the codes are those of the C side's `enum level`.
    enum Level {
        NONE(0),
        AVX512_VNNI(1),
        AMX(2);

        final int code;

        Level(int code) {
            this.code = code;
        }
    }

    /// How activations are rounded; the codes are those of the C side's `enum arithmetic`.
    enum Arithmetic {
        F32(0),
        BF16(1),
        INT8(2);

        final int code;

        Arithmetic(int code) {
            this.code = code;
        }
    }

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final String FOLDER = "/io/millrace/engine/native/";
    private static final List<String> PLATFORMS = List.of("linux-x86_64", "linux-aarch64");
    private static final Loaded LOADED = load();

    private NativeLibrary() {}

    /// Either functions, or why there are none.
    private record Loaded(@Nullable Functions functions, String reason) {}

    /// The functions, or null if there are none for this machine.
    static @Nullable Functions functions() {
        return LOADED.functions();
    }

    /// Why there are functions, or why not.
    static String reason() {
        return LOADED.reason();
    }

    /// The first library in the jar that this machine's loader takes: another platform's it refuses.
    private static Loaded load() {
        List<String> reasons = new ArrayList<>();
        for (String platform : PLATFORMS) {
            try (InputStream library = NativeLibrary.class.getResourceAsStream(FOLDER + platform + "/libmillrace.so")) {
                if (library != null) {
                    Functions functions = new Functions(lookup(library));
                    return functions.level() == Level.NONE
                            ? new Loaded(null, "this processor lacks what the native kernels for " + platform + " need")
                            : new Loaded(functions, "this processor has " + functions.level());
                }
            } catch (IOException | IllegalArgumentException | UnsupportedOperationException e) {
                reasons.add("native kernels for " + platform + " could not be loaded: " + e);
            }
        }
        return new Loaded(null, reasons.isEmpty() ? "no native kernels in this build" : String.join("; ", reasons));
    }

    private static SymbolLookup lookup(InputStream library) throws IOException {
        Path copy = Files.createTempFile("millrace-", ".so");
        try {
            Files.copy(library, copy, StandardCopyOption.REPLACE_EXISTING);
            return SymbolLookup.libraryLookup(copy, Arena.global());
        } finally {
            // mapped by now, and gone from the folder whatever becomes of this process
            Files.delete(copy);
        }
    }

    /// Handles to the C functions. Heap arrays are passed as they are: a call lasts for microseconds, during which
    /// the collector waits for it.
    static final class Functions {
        private final MethodHandle arithmetic;
        private final MethodHandle packedBytes;
        private final MethodHandle scratchBytes;
        private final MethodHandle pack;
        private final MethodHandle product;
        private final MethodHandle spin;
        private final Level level;

        Functions(SymbolLookup symbols) {
            MemoryLayout pointer = ValueLayout.ADDRESS;
            arithmetic = handle(symbols, "millrace_arithmetic", FunctionDescriptor.of(INT, INT, INT));
            packedBytes = handle(symbols, "millrace_packed_bytes", FunctionDescriptor.of(LONG, INT, INT, INT));
            scratchBytes = handle(symbols, "millrace_scratch_bytes", FunctionDescriptor.of(LONG, INT, INT, INT));
            pack = handle(
                    symbols,
                    "millrace_pack",
                    FunctionDescriptor.ofVoid(INT, INT, pointer, LONG, INT, INT, INT, INT, pointer));
            product = handle(
                    symbols,
                    "millrace_product",
                    FunctionDescriptor.ofVoid(
                            INT, INT, pointer, LONG, pointer, INT, pointer, pointer, pointer, INT, INT, pointer, LONG,
                            pointer));
            spin = Linker.nativeLinker()
                    .downcallHandle(symbol(symbols, "millrace_spin"), FunctionDescriptor.of(LONG, INT, LONG));
            int best = call(handle(symbols, "millrace_level", FunctionDescriptor.of(INT)));
            level = Arrays.stream(Level.values())
                    .filter(known -> known.code == best)
                    .findFirst()
                    .orElse(Level.NONE);
        }

        private static MethodHandle handle(SymbolLookup symbols, String name, FunctionDescriptor descriptor) {
            return Linker.nativeLinker()
                    .downcallHandle(symbol(symbols, name), descriptor, Linker.Option.critical(true));
        }

        private static MemorySegment symbol(SymbolLookup symbols, String name) {
            return symbols.find(name)
                    .orElseThrow(() -> new IllegalArgumentException("expected the symbol " + name + ", got none"));
        }

        private static int call(MethodHandle handle) {
            try {
                return (int) handle.invokeExact();
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        /// The best this processor and this library can do.
        Level level() {
            return level;
        }

        /// How a level multiplies a format.
        ///
        /// @return null if it cannot
        @Nullable
        Arithmetic arithmetic(Level at, int format) {
            try {
                int answer = (int) arithmetic.invokeExact(at.code, format);
                return Arrays.stream(Arithmetic.values())
                        .filter(known -> known.code == answer)
                        .findFirst()
                        .orElse(null);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        long packedBytes(Arithmetic how, int rows, int cols) {
            try {
                return (long) packedBytes.invokeExact(how.code, rows, cols);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        /// @param rows of the stored matrix in one product
        long scratchBytes(Arithmetic how, int rows, int cols) {
            try {
                return (long) scratchBytes.invokeExact(how.code, rows, cols);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        /// Packs groups of 16 rows; see the C header.
        void pack(
                Level at,
                Arithmetic how,
                MemorySegment x,
                long stride,
                int rows,
                int cols,
                int group,
                int groups,
                MemorySegment packed) {
            try {
                pack.invokeExact(at.code, how.code, x, stride, rows, cols, group, groups, packed);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        /// A range of a product; see the C header.
        void product(
                Level at,
                Arithmetic how,
                MemorySegment x,
                long xStride,
                MemorySegment packed,
                int rows,
                MemorySegment data,
                MemorySegment scales,
                MemorySegment shape,
                int first,
                int count,
                MemorySegment y,
                long stride,
                MemorySegment scratch) {
            try {
                product.invokeExact(
                        at.code, how.code, x, xStride, packed, rows, data, scales, shape, first, count, y, stride,
                        scratch);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        /// Keeps a unit of the calling core busy; see the C header. Lasts as long as it is asked to, so the collector
        /// does not wait for it.
        ///
        /// @return operations done, or -1 if the processor has no such unit
        long spin(int unit, long rounds) {
            try {
                return (long) spin.invokeExact(unit, rounds);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
