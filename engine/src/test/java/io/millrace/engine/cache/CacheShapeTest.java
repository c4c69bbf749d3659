package io.millrace.engine.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.millrace.engine.kernel.Kernels.Pooling;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CacheShapeTest {
    private static CacheShape shape(int sliding, int csa, int hca) {
        List<CacheShape.Layer> layers = new ArrayList<>();
        for (int i = 0; i < sliding; i++) {
            layers.add(new CacheShape.Layer(CacheShape.Layer.NONE, CacheShape.Layer.NONE));
        }
        for (int i = 0; i < csa; i++) {
            layers.add(new CacheShape.Layer(new Pooling(4, 512, true), new Pooling(4, 128, true)));
        }
        for (int i = 0; i < hca; i++) {
            layers.add(new CacheShape.Layer(new Pooling(128, 512, false), CacheShape.Layer.NONE));
        }
        return new CacheShape(512, 128, layers);
    }

    /// deepseek-v4.md section 5.3, fp32 rows.
    @Test
    void bytesPerToken_publishedShapes() {
        assertThat(shape(2, 21, 20).bytesPerToken()).isCloseTo(13_760, within(0.5));
        assertThat(shape(0, 30, 31).bytesPerToken()).isCloseTo(19_696, within(0.5));
    }

    @Test
    void bytes_growByTheFormula() {
        CacheShape flash = shape(2, 21, 20);
        long million = flash.bytes(1 << 20) - flash.bytes(0);
        assertThat((double) million).isCloseTo(flash.bytesPerToken() * (1 << 20), within(1e-6 * million));
    }

    @Test
    void bytes_fixedPart() {
        // windows 43 x 128 x 512 floats; pending state 12.2 MB as published
        CacheShape flash = shape(2, 21, 20);
        long windows = 43L * 128 * 512 * Float.BYTES;
        assertThat((flash.bytes(0) - windows) / 1e6).isCloseTo(12.2, within(0.15));
    }
}
