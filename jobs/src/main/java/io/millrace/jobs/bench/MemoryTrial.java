package io.millrace.jobs.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.cache.CacheShape;
import io.millrace.engine.cache.CompressedCache;
import io.millrace.engine.kernel.KernelProvider;
import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.model.Caches;
import java.lang.management.ManagementFactory;

/// What a context of V4-Flash takes: its caches, of 43 layers without their weights, allocated and weighed,
/// against the formula of deepseek-v4.md section 5.3. A million tokens want a heap of 16 GB; a smaller one
/// holds fewer.
final class MemoryTrial implements Trial {
    private static final int MILLION = 1 << 20;

    @Override
    public ObjectNode run() {
        CacheShape shape = Caches.shape(V4Shapes.flash());
        long room = Runtime.getRuntime().maxMemory() / 10 * 9;
        int tokens = MILLION;
        while (shape.bytes(tokens) > room) {
            tokens /= 2;
        }
        ObjectNode figures = new ObjectMapper().createObjectNode();
        try (Kernels kernels = KernelProvider.open("vector", 1)) {
            long before = heap();
            CompressedCache cache = FilledCache.of(kernels, shape, tokens);
            long held = heap() - before;
            figures.put("tokens", cache.length()).put("heap_bytes", held);
            figures.put("formula_bytes_per_token", shape.bytesPerToken());
            figures.put("formula_bytes", Math.round(shape.bytesPerToken() * tokens) + shape.bytes(0));
            figures.put("accounted_bytes", cache.bytes());
        }
        return figures;
    }

    /// What is alive.
    private static long heap() {
        ManagementFactory.getMemoryMXBean().gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
