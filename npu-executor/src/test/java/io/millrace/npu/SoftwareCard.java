package io.millrace.npu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The software card of `src/test/c`, built when it is first asked for. One for the process, as a driver is:
/// who sets a fault takes it back.
@SuppressWarnings("restricted")
final class SoftwareCard {
    private static final Path BUILT = Path.of("target", "softcard").toAbsolutePath();
    private static @Nullable SoftwareCard card;

    /// What the card counts; the order is that of the C side's `enum live`.
    enum Live {
        DEVICE_MEMORY,
        PINNED_MEMORY,
        CONTEXTS,
        STREAMS,
        EVENTS,
        TENSORS,
        SCALARS,
        EXECUTORS
    }

    private final SymbolLookup symbols;

    private SoftwareCard() {
        symbols = SymbolLookup.libraryLookup(BUILT.resolve("latest").resolve("libascendcl.so"), Arena.global());
    }

    /// Skips the test where there is no C compiler.
    static synchronized SoftwareCard get() {
        assumeTrue(hasCompiler(), "no C compiler (cc) on the path to build the software card with");
        if (card == null) {
            build();
            card = new SoftwareCard();
        }
        return card;
    }

    private static void build() {
        try {
            Process process = new ProcessBuilder("sh", "src/test/c/build.sh", BUILT.toString())
                    .inheritIO()
                    .start();
            assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
            assertThat(process.exitValue()).isZero();
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    static boolean hasCompiler() {
        try {
            return new ProcessBuilder("cc", "--version")
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException | InterruptedException _) {
            return false;
        }
    }

    /// @param release `latest` or `8.1`
    Path folder(String release) {
        return BUILT.resolve(release);
    }

    /// See `softcard_fault`; empty for none.
    void fault(String specification) {
        withText("softcard_fault", specification);
    }

    /// Writes each call from now on to a file; empty for no more.
    void trace(String file) {
        withText("softcard_trace", file);
    }

    void soc(String name) {
        withText("softcard_soc", name);
    }

    private void withText(String function, String text) {
        try (Arena arena = Arena.ofConfined()) {
            handle(function, FunctionDescriptor.ofVoid(ValueLayout.ADDRESS)).invokeExact(arena.allocateFrom(text));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /// Bytes a device has.
    void memory(long bytes) {
        try {
            handle("softcard_memory", FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG))
                    .invokeExact(bytes);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /// Whether operators compute, or only cost what calling them costs.
    void compute(boolean on) {
        try {
            handle("softcard_compute", FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT))
                    .invokeExact(on ? 1 : 0);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /// What is alive on the card now, without what there is none of.
    Map<Live, Long> live() {
        Map<Live, Long> live = new EnumMap<>(Live.class);
        MethodHandle count =
                handle("softcard_live", FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));
        for (Live kind : Live.values()) {
            try {
                long number = (long) count.invokeExact(kind.ordinal());
                if (number != 0) {
                    live.put(kind, number);
                }
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
        }
        return live;
    }

    private MethodHandle handle(String name, FunctionDescriptor descriptor) {
        MemorySegment symbol = symbols.find(name).orElseThrow();
        return Linker.nativeLinker().downcallHandle(symbol, descriptor);
    }
}
