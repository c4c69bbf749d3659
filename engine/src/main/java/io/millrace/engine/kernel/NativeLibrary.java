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
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// The compiled kernels of `src/main/c/millrace.h`, if this jar carries them for this platform. Loaded once
/// and never unloaded. Native access is what this class is for: `--enable-native-access` grants it.
@SuppressWarnings("restricted")
final class NativeLibrary {
    /// Instruction sets, on each platform from the least to the best; the codes are those of the C side's
    /// `enum level`.
    enum Level {
        AVX2(1),
        AVX_VNNI(2),
        AVX512_VNNI(3),
        AMX(4),
        NEON(5),
        DOTPROD(6),
        I8MM(7);

        final int code;

        Level(int code) {
            this.code = code;
        }

        /// As settings name it: `avx512-vnni`.
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
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
            try (InputStream library = library(platform)) {
                if (library != null) {
                    Functions functions = new Functions(lookup(library));
                    return functions.levels().isEmpty()
                            ? new Loaded(null, "this processor lacks what the native kernels for " + platform + " need")
                            : new Loaded(functions, "the best this processor has of " + functions.levels());
                }
            } catch (IOException | IllegalArgumentException | UnsupportedOperationException e) {
                reasons.add("native kernels for " + platform + " could not be loaded: " + e);
            }
        }
        return new Loaded(null, reasons.isEmpty() ? "no native kernels in this build" : String.join("; ", reasons));
    }

    /// @return null if this build has none for the platform
    static @Nullable InputStream library(String platform) {
        return NativeLibrary.class.getResourceAsStream(FOLDER + platform + "/libmillrace.so");
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

    /// Handles to the C functions. Heap arrays are passed as they are: a call lasts for microseconds,
    /// during which the collector waits for it.
    static final class Functions {
        private final MethodHandle arithmetic;
        private final MethodHandle packedBytes;
        private final MethodHandle scratchBytes;
        private final MethodHandle pack;
        private final MethodHandle product;
        private final MethodHandle attends;
        private final MethodHandle attentionBytes;
        private final MethodHandle attentionScratch;
        private final MethodHandle attentionPack;
        private final MethodHandle attend;
        private final MethodHandle indexBytes;
        private final MethodHandle indexQueries;
        private final MethodHandle indexKeys;
        private final MethodHandle indexScores;
        private final MethodHandle spin;
        private final MethodHandle read;
        private final List<Level> levels;

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
            attends = handle(symbols, "millrace_attends", FunctionDescriptor.of(INT, INT));
            attentionBytes = handle(symbols, "millrace_attention_bytes", FunctionDescriptor.of(LONG, INT, INT));
            attentionScratch = handle(symbols, "millrace_attention_scratch", FunctionDescriptor.of(LONG, INT, INT));
            attentionPack = handle(
                    symbols,
                    "millrace_attention_pack",
                    FunctionDescriptor.ofVoid(pointer, pointer, LONG, INT, INT, INT, INT, pointer));
            attend = handle(
                    symbols,
                    "millrace_attend",
                    FunctionDescriptor.ofVoid(
                            pointer,
                            pointer,
                            LONG,
                            INT,
                            INT,
                            INT,
                            ValueLayout.JAVA_FLOAT,
                            pointer,
                            pointer,
                            INT,
                            pointer,
                            INT,
                            pointer));
            indexBytes = handle(symbols, "millrace_index_bytes", FunctionDescriptor.of(LONG, INT, INT));
            indexQueries =
                    handle(symbols, "millrace_index_queries", FunctionDescriptor.ofVoid(pointer, INT, INT, pointer));
            indexKeys = handle(symbols, "millrace_index_keys", FunctionDescriptor.ofVoid(pointer, INT, INT, pointer));
            indexScores = handle(
                    symbols,
                    "millrace_index_scores",
                    FunctionDescriptor.ofVoid(pointer, pointer, INT, INT, INT, pointer, INT, pointer, LONG));
            spin = Linker.nativeLinker()
                    .downcallHandle(symbol(symbols, "millrace_spin"), FunctionDescriptor.of(LONG, INT, LONG));
            read = Linker.nativeLinker()
                    .downcallHandle(symbol(symbols, "millrace_read"), FunctionDescriptor.of(LONG, pointer, LONG));
            MethodHandle has = handle(symbols, "millrace_has", FunctionDescriptor.of(INT, INT));
            levels = Arrays.stream(Level.values())
                    .filter(level -> has(has, level))
                    .toList();
        }

        private static MethodHandle handle(SymbolLookup symbols, String name, FunctionDescriptor descriptor) {
            return Linker.nativeLinker()
                    .downcallHandle(symbol(symbols, name), descriptor, Linker.Option.critical(true));
        }

        private static MemorySegment symbol(SymbolLookup symbols, String name) {
            return symbols.find(name)
                    .orElseThrow(() -> new IllegalArgumentException("expected the symbol " + name + ", got none"));
        }

        private static boolean has(MethodHandle has, Level level) {
            try {
                return (int) has.invokeExact(level.code) == 1;
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        /// What this processor and this library can do, from the least to the best.
        List<Level> levels() {
            return levels;
        }

        /// The best of them.
        Level best() {
            return levels.getLast();
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

        /// Whether a level has the functions below.
        boolean attends(Level at) {
            try {
                return (int) attends.invokeExact(at.code) != 0;
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        /// @param places of keys, a multiple of the block of the C header
        long attentionBytes(int places, int dim) {
            try {
                return (long) attentionBytes.invokeExact(places, dim);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        long attentionScratch(int places, int dim) {
            try {
                return (long) attentionScratch.invokeExact(places, dim);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        /// Packs keys and values; see the C header.
        void attentionPack(
                MemorySegment keys,
                MemorySegment values,
                long stride,
                int count,
                int dim,
                int at,
                int places,
                MemorySegment packed) {
            try {
                attentionPack.invokeExact(keys, values, stride, count, dim, at, places, packed);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        /// Attention of some rows; see the C header.
        void attend(
                MemorySegment q,
                MemorySegment out,
                long rowStride,
                int rows,
                int heads,
                int dim,
                float scale,
                MemorySegment sink,
                MemorySegment visible,
                int firstPooled,
                MemorySegment packed,
                int places,
                MemorySegment scratch) {
            try {
                attend.invokeExact(
                        q,
                        out,
                        rowStride,
                        rows,
                        heads,
                        dim,
                        scale,
                        sink,
                        visible,
                        firstPooled,
                        packed,
                        places,
                        scratch);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        /// @param count of packed queries or keys
        long indexBytes(int count, int dim) {
            try {
                return (long) indexBytes.invokeExact(count, dim);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        /// Packs the indexer's queries; see the C header.
        void indexQueries(MemorySegment q, int count, int dim, MemorySegment packed) {
            try {
                indexQueries.invokeExact(q, count, dim, packed);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        /// Packs up to 16 of the indexer's keys; see the C header.
        void indexKeys(MemorySegment keys, int count, int dim, MemorySegment packed) {
            try {
                indexKeys.invokeExact(keys, count, dim, packed);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        /// The indexer's scores; see the C header.
        void indexScores(
                MemorySegment queries,
                MemorySegment weights,
                int rows,
                int heads,
                int dim,
                MemorySegment keys,
                int count,
                MemorySegment scores,
                long stride) {
            try {
                indexScores.invokeExact(queries, weights, rows, heads, dim, keys, count, scores, stride);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        /// Keeps a unit of the calling core busy; see the C header. Lasts as long as it is asked to, so the
        /// collector does not wait for it.
        ///
        /// @return operations done, or -1 if the processor has no such unit
        long spin(int unit, long rounds) {
            try {
                return (long) spin.invokeExact(unit, rounds);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        /// Reads memory once. Like {@link #spin}, the collector does not wait for it.
        ///
        /// @return the bits of its 64-bit words, all or-ed together
        long read(MemorySegment memory) {
            try {
                return (long) read.invokeExact(memory, memory.byteSize());
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
