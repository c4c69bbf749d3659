package io.millrace.jobs.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.millrace.engine.cache.CompressedCache;
import io.millrace.engine.checkpoint.ParameterCount;
import io.millrace.engine.kernel.KernelProvider;
import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.model.Caches;
import io.millrace.engine.model.ModelConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class V4ShapesTest {
    /// The table of deepseek-v4.md section 9, which counts the head, and at an index key also the sum over
    /// heads: one operation in 128.
    @ParameterizedTest
    @CsvSource({"4096, 29.1", "32768, 32.2", "131072, 42.7", "1048576, 141.0"})
    void operations_ofFlash_arePublished(int tokens, double billions) {
        ModelConfig flash = V4Shapes.flash();
        double head = 2.0 * flash.vocabSize() * flash.hiddenSize();
        assertThat((V4Shapes.operations(flash, tokens) + head) / 1e9).isCloseTo(billions, withinPercentage(0.6));
    }

    /// But for the three layers that look their experts up.
    @Test
    void flash_hasItsParameters() {
        assertThat(ParameterCount.of(V4Shapes.flash()).main() - 284_332_240_471L)
                .isEqualTo(3 * 256);
    }

    @Test
    void filledCache_isAsLongAsOneThatHasSeenTokens() {
        ModelConfig narrow = V4Shapes.narrow();
        try (Kernels kernels = KernelProvider.open("reference", 1)) {
            CompressedCache cache = FilledCache.of(kernels, Caches.shape(narrow), 1024);
            assertThat(cache.length()).isEqualTo(1024);
            assertThat(cache.bytes()).isEqualTo(narrow.cacheBytes(1024));
            assertThat(cache.layer(1).main().size()).isEqualTo(256);
            assertThat(cache.layer(1).index().size()).isEqualTo(256);
            assertThat(cache.layer(2).main().size()).isEqualTo(8);
        }
    }
}
