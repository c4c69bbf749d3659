package io.millrace.engine.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.engine.MicroVectors;
import java.util.Arrays;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class RoundingTest {
    @Test
    void fp8RoundTrip_blocksOf64() {
        checkFp8(MicroVectors.at("fp8_act_quant_block64"), 64);
    }

    @Test
    void fp8RoundTrip_blocksOf128() {
        checkFp8(MicroVectors.at("fp8_act_quant_block128"), 128);
    }

    private static void checkFp8(JsonNode golden, int block) {
        float[] x = MicroVectors.floats(golden.get("x_bf16"));
        float[] scales = MicroVectors.floats(golden.get("scale"));
        for (int i = 0; i < scales.length; i++) {
            float[] values = Arrays.copyOfRange(x, i * block, (i + 1) * block);
            float scale = Rounding.fp8Scale(amplitude(values));
            CodecsTest.assertBits(scale, scales[i], "scale " + i);
            for (int j = 0; j < block; j++) {
                int expected = golden.get("byte").get(i * block + j).intValue();
                assertThat(Fp8.encode(values[j] / scale) & 0xFF).as("code " + j).isEqualTo(expected);
            }
        }
        checkRoundTrip(x, MicroVectors.floats(golden.get("dequant_bf16")), out -> {
            Rounding.fp8RoundTrip(out, 3, x.length, block);
        });
    }

    @Test
    void fp4RoundTrip_blocksOf32() {
        JsonNode golden = MicroVectors.at("fp4_act_quant_block32");
        float[] x = MicroVectors.floats(golden.get("x_bf16"));
        float[] scales = MicroVectors.floats(golden.get("scale"));
        for (int i = 0; i < scales.length; i++) {
            float amplitude = amplitude(Arrays.copyOfRange(x, i * 32, (i + 1) * 32));
            CodecsTest.assertBits(Rounding.fp4Scale(amplitude), scales[i], "scale " + i);
        }
        checkRoundTrip(x, MicroVectors.floats(golden.get("dequant_bf16")), out -> {
            Rounding.fp4RoundTrip(out, 3, x.length, 32);
        });
    }

    /// Runs in the middle of a larger array, whose other values must stay.
    private static void checkRoundTrip(float[] x, float[] expected, Consumer<float[]> roundTrip) {
        float[] out = new float[x.length + 5];
        Arrays.fill(out, 7.77f);
        System.arraycopy(x, 0, out, 3, x.length);
        roundTrip.accept(out);
        for (int i = 0; i < x.length; i++) {
            CodecsTest.assertBits(out[3 + i], expected[i], "value " + i + " of " + x[i]);
            CodecsTest.assertBits(Rounding.bf16Round(out[3 + i]), out[3 + i], "exact in bf16");
        }
        assertThat(out[2]).isEqualTo(7.77f);
        assertThat(out[3 + x.length]).isEqualTo(7.77f);
    }

    @Test
    void fp8RoundTrip_zerosShortBlockAndNonFinite() {
        float[] zeros = new float[10];
        Rounding.fp8RoundTrip(zeros, 0, 10, 4);
        assertThat(zeros).containsOnly(0f);

        float[] x = {1e-3f, 448, 1, Float.POSITIVE_INFINITY, 2, Float.NaN};
        Rounding.fp8RoundTrip(x, 0, 6, 2);
        assertThat(x[1]).isEqualTo(448f);
        assertThat(x[2]).isNaN();
        assertThat(x[5]).isNaN();

        float[] fp4 = {1, Float.NaN, 3};
        Rounding.fp4RoundTrip(fp4, 0, 3, 2);
        assertThat(fp4[0]).isNaN();
        assertThat(fp4[2]).isEqualTo(3f);
        assertThatThrownBy(() -> Rounding.fp8RoundTrip(zeros, 0, 10, 0)).hasMessageContaining("block");
    }

    @Test
    void hadamard_goldenValues() {
        JsonNode golden = MicroVectors.at("hadamard128");
        float[] x = MicroVectors.floats(golden.get("x"));
        float[] out = new float[x.length + 2];
        System.arraycopy(x, 0, out, 1, x.length);
        Rounding.hadamard(out, 1, x.length);
        for (int i = 0; i < x.length; i++) {
            // 7 additions of values near 1 in float, against double
            assertThat(out[1 + i]).isCloseTo((float) golden.get("y").get(i).doubleValue(), within(2e-6f));
        }
        Rounding.hadamard(out, 1, x.length);
        for (int i = 0; i < x.length; i++) {
            assertThat(out[1 + i]).as("its own inverse").isCloseTo(x[i], within(2e-6f));
        }
        assertThatThrownBy(() -> Rounding.hadamard(new float[12], 0, 12)).hasMessageContaining("got 12");
    }

    private static float amplitude(float[] x) {
        float largest = 0;
        for (float value : x) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }
}
