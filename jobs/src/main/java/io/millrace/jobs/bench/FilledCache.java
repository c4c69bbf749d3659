package io.millrace.jobs.bench;

import io.millrace.engine.cache.CacheShape;
import io.millrace.engine.cache.CompressedCache;
import io.millrace.engine.cache.PooledRows;
import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.tensor.Floats;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/// A sequence that remembers many tokens which no model has seen: allocated as one that has, filled with
/// chance.
final class FilledCache {
    /// Rows that are drawn; others repeat them.
    private static final int ROWS = 128;

    private FilledCache() {}

    /// @param tokens a multiple of every layer's ratio
    static CompressedCache of(Kernels kernels, CacheShape shape, int tokens) {
        CompressedCache cache = new CompressedCache(kernels, shape);
        Floats rows = rows(kernels, shape.dim());
        for (int i = 0; i < shape.layers().size(); i++) {
            CacheShape.Layer layer = shape.layers().get(i);
            cache.layer(i).remember(rows, 0, Math.min(tokens, ROWS), Math.max(0, tokens - ROWS));
            fill(cache.layer(i).main(), rows, layer.main().ratio(), tokens);
            fill(cache.layer(i).index(), rows, layer.index().ratio(), tokens);
        }
        cache.advance(tokens);
        return cache;
    }

    private static void fill(PooledRows pooled, Floats rows, int ratio, int tokens) {
        int count = ratio == 0 ? 0 : tokens / ratio;
        for (int at = 0; at < count; at += ROWS) {
            pooled.append(rows, 0, Math.min(ROWS, count - at));
        }
    }

    private static Floats rows(Kernels kernels, int dim) {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(20261122);
        float[] values = new float[ROWS * dim];
        for (int i = 0; i < values.length; i++) {
            values[i] = 2 * random.nextFloat() - 1;
        }
        return kernels.upload(values);
    }
}
