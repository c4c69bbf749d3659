package io.millrace.engine.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.kernel.Kernels.Pooling;
import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.HostFloats;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/// What a cache asks its device for, counted where it is asked: nothing is allocated here.
class CompressedCacheTest {
    private static final int TOKENS = 1 << 16;

    private final AtomicLong floats = new AtomicLong();
    private final Floats nothing = HostFloats.allocate(0);

    private final Kernels counting = (Kernels) Proxy.newProxyInstance(
            Kernels.class.getClassLoader(), new Class<?>[] {Kernels.class}, (_, method, arguments) -> {
                switch (method.getName()) {
                    case "allocate" -> floats.addAndGet((int) arguments[0]);
                    case "upload" -> floats.addAndGet(((float[]) arguments[0]).length);
                    default -> {}
                }
                return method.getReturnType() == void.class ? null : nothing;
            });

    /// The layers of V4-Flash: 2 sliding, 21 CSA, 20 HCA (deepseek-v4.md section 1.1).
    private static CacheShape flash() {
        List<CacheShape.Layer> layers = new ArrayList<>();
        for (int layer = 0; layer < 43; layer++) {
            layers.add(
                    layer < 2
                            ? new CacheShape.Layer(CacheShape.Layer.NONE, CacheShape.Layer.NONE)
                            : layer % 2 == 0
                                    ? new CacheShape.Layer(new Pooling(4, 512, true), new Pooling(4, 128, true))
                                    : new CacheShape.Layer(new Pooling(128, 512, false), CacheShape.Layer.NONE));
        }
        return new CacheShape(512, 128, layers);
    }

    private CompressedCache filled(CacheShape shape) {
        CompressedCache cache = new CompressedCache(counting, shape);
        for (int i = 0; i < shape.layers().size(); i++) {
            CacheShape.Layer layer = shape.layers().get(i);
            cache.layer(i).main().append(nothing, 0, rows(layer.main()));
            cache.layer(i).index().append(nothing, 0, rows(layer.index()));
        }
        cache.advance(TOKENS);
        return cache;
    }

    private static int rows(Pooling pooling) {
        return pooling.ratio() == 0 ? 0 : TOKENS / pooling.ratio();
    }

    @Test
    void bytes_areThoseAskedFor() {
        CompressedCache cache = filled(flash());
        assertThat(cache.bytes()).isEqualTo(floats.get() * Float.BYTES);
    }

    /// Section 5.3, fp32 rows: 13,760 bytes a token, 14.4 GB for a million.
    @Test
    void bytes_growAsPublished() {
        new CompressedCache(counting, flash());
        long empty = floats.getAndSet(0) * Float.BYTES;
        filled(flash());
        double perToken = (double) (floats.get() * Float.BYTES - empty) / TOKENS;
        assertThat(perToken).isCloseTo(13_760, within(0.5));
        assertThat(perToken * (1 << 20) / 1e9).isCloseTo(14.4, within(0.05));
    }
}
