package io.millrace.engine.kernel;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.kernel.NativeLibrary.Functions;
import io.millrace.engine.kernel.NativeLibrary.Level;
import java.util.List;

/// Chooses a ring once and says why.
public final class KernelProvider {
    private static final String LEVEL = "native:";

    private KernelProvider() {}

    /// @param ring `auto`, `native`, `native:LEVEL`, `vector` or `reference`; `native` is the best level
    ///     that the
    /// processor
    ///     has, a level that is named multiplies to the same bits wherever it runs
    /// @param threads worker threads of the native and vector rings
    /// @throws EngineException BAD_CONFIGURATION for another name, or for a ring that this machine or JVM
    ///     lacks
    public static Kernels open(String ring, int threads) {
        return switch (ring) {
            case "reference" -> new ReferenceKernels();
            case "vector" -> {
                requireVectors(ring);
                yield new VectorKernels(threads, "asked for");
            }
            case "native" -> {
                Functions functions = requireNative(ring);
                yield compiled(functions, functions.best(), threads, "asked for");
            }
            case "auto" -> best(threads);
            default -> {
                if (!ring.startsWith(LEVEL)) {
                    throw new EngineException(
                            ErrorCode.BAD_CONFIGURATION,
                            "ring: expected auto, native, native:LEVEL, vector or reference, got " + ring);
                }
                yield compiled(requireNative(ring), level(ring), threads, "asked for");
            }
        };
    }

    /// Levels of the native ring on this processor, from the least to the best; none without compiled
    /// kernels.
    public static List<String> levels() {
        Functions functions = NativeLibrary.functions();
        return functions == null
                ? List.of()
                : functions.levels().stream().map(Level::toString).toList();
    }

    private static Level level(String ring) {
        return requireNative(ring).levels().stream()
                .filter(known -> ring.equals(LEVEL + known))
                .findFirst()
                .orElseThrow(() -> new EngineException(
                        ErrorCode.BAD_CONFIGURATION,
                        "ring " + ring + ": expected a level of this processor, one of " + levels()));
    }

    private static Functions requireNative(String ring) {
        requireVectors(ring);
        Functions functions = NativeLibrary.functions();
        if (functions == null) {
            throw new EngineException(
                    ErrorCode.BAD_CONFIGURATION,
                    "ring " + ring + ": expected compiled kernels, got none: " + NativeLibrary.reason());
        }
        return functions;
    }

    private static Kernels best(int threads) {
        if (!hasVectorModule()) {
            return new ReferenceKernels();
        }
        Functions functions = NativeLibrary.functions();
        return functions == null
                ? new VectorKernels(threads, NativeLibrary.reason())
                : compiled(functions, functions.best(), threads, NativeLibrary.reason());
    }

    private static Kernels compiled(Functions functions, Level level, int threads, String reason) {
        MatrixProducts others = new PanelProducts(threads);
        AttentionKernels attention =
                functions.attends(level) ? new NativeAttention(functions, threads) : new VectorAttention(threads);
        return new VectorKernels(threads, new NativeProducts(functions, level, threads, others), attention, reason);
    }

    private static void requireVectors(String ring) {
        if (!hasVectorModule()) {
            throw new EngineException(
                    ErrorCode.BAD_CONFIGURATION,
                    "ring " + ring + ": expected the module jdk.incubator.vector, got a JVM started without"
                            + " --add-modules=jdk.incubator.vector");
        }
    }

    private static boolean hasVectorModule() {
        return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    }
}
