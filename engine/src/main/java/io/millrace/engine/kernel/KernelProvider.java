package io.millrace.engine.kernel;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;

/// Chooses a ring once and says why.
public final class KernelProvider {
    private KernelProvider() {}

    /// @param ring `auto`, `native`, `vector` or `reference`
    /// @param threads worker threads of the native and vector rings
    /// @throws EngineException BAD_CONFIGURATION for another name, or for a ring that this machine or JVM lacks
    public static Kernels open(String ring, int threads) {
        return switch (ring) {
            case "reference" -> new ReferenceKernels();
            case "vector" -> {
                requireVectors(ring);
                yield new VectorKernels(threads, "asked for");
            }
            case "native" -> {
                requireVectors(ring);
                if (NativeLibrary.functions() == null) {
                    throw new EngineException(
                            ErrorCode.BAD_CONFIGURATION,
                            "ring native: expected compiled kernels, got none: " + NativeLibrary.reason());
                }
                yield compiled(NativeLibrary.functions(), threads, "asked for");
            }
            case "auto" -> best(threads);
            default ->
                throw new EngineException(
                        ErrorCode.BAD_CONFIGURATION, "ring: expected auto, native, vector or reference, got " + ring);
        };
    }

    private static Kernels best(int threads) {
        if (!hasVectorModule()) {
            return new ReferenceKernels();
        }
        NativeLibrary.Functions functions = NativeLibrary.functions();
        return functions == null
                ? new VectorKernels(threads, NativeLibrary.reason())
                : compiled(functions, threads, NativeLibrary.reason());
    }

    private static Kernels compiled(NativeLibrary.Functions functions, int threads, String reason) {
        MatrixProducts others = new PanelProducts(threads);
        AttentionKernels attention =
                functions.attends(functions.level()) ? new NativeAttention(functions, threads) : new VectorAttention(threads);
        return new VectorKernels(
                threads, new NativeProducts(functions, functions.level(), threads, others), attention, reason);
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
