package io.millrace.engine.kernel;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;

/// Chooses a ring once and says why.
public final class KernelProvider {
    private KernelProvider() {}

    /// @param ring `auto`, `vector` or `reference`
    /// @param threads worker threads of the vector ring
    /// @throws EngineException BAD_CONFIGURATION for another name, or for `vector` without its module
    public static Kernels open(String ring, int threads) {
        boolean vectors = hasVectorModule();
        return switch (ring) {
            case "reference" -> new ReferenceKernels();
            case "vector" -> {
                if (!vectors) {
                    throw new EngineException(
                            ErrorCode.BAD_CONFIGURATION,
                            "ring vector: expected the module jdk.incubator.vector, got a JVM started without"
                                    + " --add-modules=jdk.incubator.vector");
                }
                yield new VectorKernels(threads, "asked for");
            }
            case "auto" -> vectors ? new VectorKernels(threads, "fastest available") : new ReferenceKernels();
            default ->
                throw new EngineException(
                        ErrorCode.BAD_CONFIGURATION, "ring: expected auto, vector or reference, got " + ring);
        };
    }

    private static boolean hasVectorModule() {
        return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    }
}
