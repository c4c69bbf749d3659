package io.millrace.engine.cache;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.kernel.KernelProvider;
import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.kernel.Kernels.KeyValueShape;
import org.junit.jupiter.api.Test;

class KeyValueCacheTest {
    private static final KeyValueShape SHAPE = new KeyValueShape(4, 128);

    /// 2 (keys and values) x 4 heads x 128 floats of 4 bytes x 48 layers a position, by whole pages.
    @Test
    void bytes_byTheFormula() {
        long position = 2L * 4 * 128 * 4 * 48;
        assertThat(KeyValueCache.bytes(SHAPE, 48, 0)).isZero();
        assertThat(KeyValueCache.bytes(SHAPE, 48, 1)).isEqualTo(32 * position);
        assertThat(KeyValueCache.bytes(SHAPE, 48, 32)).isEqualTo(32 * position);
        assertThat(KeyValueCache.bytes(SHAPE, 48, 33)).isEqualTo(64 * position);
        assertThat(KeyValueCache.bytes(SHAPE, 48, 1 << 20)).isEqualTo((1 << 20) * position);
    }

    @Test
    void bytes_areWhatIsHeld() {
        try (Kernels kernels = KernelProvider.open("reference", 1)) {
            KeyValueCache cache = new KeyValueCache(kernels, SHAPE, 3);
            for (int tokens : new int[] {1, 30, 1, 1, 64, 100}) {
                for (int layer = 0; layer < 3; layer++) {
                    long held = cache.pages(layer, tokens).stream()
                            .mapToLong(page -> (long) page.size() * Float.BYTES)
                            .sum();
                    assertThat(3 * held).isEqualTo(KeyValueCache.bytes(SHAPE, 3, cache.length() + tokens));
                }
                cache.advance(tokens);
                assertThat(cache.bytes()).isEqualTo(KeyValueCache.bytes(SHAPE, 3, cache.length()));
            }
        }
    }
}
