package io.millrace.engine.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.engine.MicroVectors;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CodecsTest {
    @Test
    void fp8Decode_allCodes() {
        float[] expected = MicroVectors.floats(MicroVectors.at("e4m3_decode"));
        assertThat(expected).hasSize(256);
        for (int code = 0; code < 256; code++) {
            assertBits(Fp8.decode(code), expected[code], "code " + code);
            assertBits(Fp8.decode((byte) code), expected[code], "signed code " + code);
        }
    }

    @Test
    void fp8Encode_goldenValues() {
        JsonNode golden = MicroVectors.at("e4m3_encode");
        float[] x = MicroVectors.floats(golden.get("x"));
        for (int i = 0; i < x.length; i++) {
            assertThat(Fp8.encode(x[i]) & 0xFF)
                    .as("x = " + x[i])
                    .isEqualTo(golden.get("byte").get(i).intValue());
        }
    }

    @Test
    void fp8Encode_everyCodeComesBack() {
        for (int code = 0; code < 256; code++) {
            int expected = (code & 0x7F) == 0x7F ? 0x7F : code;
            assertThat(Fp8.encode(Fp8.decode(code)) & 0xFF).isEqualTo(expected);
        }
    }

    /// Every midpoint, and the floats on either side of it, against the definition: nearest, ties to the
    /// even code.
    @Test
    void fp8Encode_midpointsGoToEven() {
        for (int code = 0; code < 0x7E; code++) {
            float middle = (Fp8.decode(code) + Fp8.decode(code + 1)) / 2;
            assertThat((int) Fp8.encode(middle)).as("middle " + middle).isEqualTo(code % 2 == 0 ? code : code + 1);
            assertThat((int) Fp8.encode(Math.nextDown(middle))).isEqualTo(code);
            assertThat((int) Fp8.encode(Math.nextUp(middle))).isEqualTo(code + 1);
            assertThat(Fp8.encode(-middle) & 0x7F).isEqualTo(Fp8.encode(middle) & 0x7F);
        }
    }

    @Test
    void fp8Encode_beyondRangeSaturates() {
        assertThat(Fp8.encode(1e9f)).isEqualTo((byte) 0x7E);
        assertThat(Fp8.encode(Float.NEGATIVE_INFINITY)).isEqualTo((byte) 0xFE);
        assertThat(Fp8.encode(Float.NaN)).isEqualTo((byte) 0x7F);
        assertThat(Fp8.encode(-0f)).isEqualTo((byte) 0x80);
        assertThat(Fp8.encode(Float.MIN_VALUE)).isEqualTo((byte) 0);
    }

    @Test
    void fp4Decode_allCodes() {
        float[] expected = MicroVectors.floats(MicroVectors.at("e2m1_decode"));
        assertThat(expected).hasSize(16);
        for (int code = 0; code < 16; code++) {
            assertBits(Fp4.decode(code), expected[code], "code " + code);
            assertBits(Fp4.decode(code | 0xF0), expected[code], "code " + code + " below another");
            assertThat(Fp4.encode(expected[code])).isEqualTo(code);
        }
    }

    @Test
    void fp4Encode_goldenValues() {
        JsonNode golden = MicroVectors.at("e2m1_encode");
        float[] x = MicroVectors.floats(golden.get("x"));
        float[] values = MicroVectors.floats(golden.get("value"));
        for (int i = 0; i < x.length; i++) {
            assertBits(Fp4.decode(Fp4.encode(x[i])), values[i], "x = " + x[i]);
        }
    }

    @Test
    void fp4Encode_midpointsGoToEven() {
        for (int code = 0; code < 7; code++) {
            float middle = (Fp4.decode(code) + Fp4.decode(code + 1)) / 2;
            assertThat(Fp4.encode(middle)).as("middle " + middle).isEqualTo(code % 2 == 0 ? code : code + 1);
            assertThat(Fp4.encode(Math.nextDown(middle))).isEqualTo(code);
            assertThat(Fp4.encode(Math.nextUp(middle))).isEqualTo(code + 1);
            assertThat(Fp4.encode(-middle)).isEqualTo(Fp4.encode(middle) | 8);
        }
        assertThat(Fp4.encode(Float.POSITIVE_INFINITY)).isEqualTo(7);
        assertThatThrownBy(() -> Fp4.encode(Float.NaN)).hasMessageContaining("NaN");
    }

    @Test
    void e8m0Decode_samplesAndAllPowers() {
        for (Map.Entry<String, JsonNode> sample :
                MicroVectors.at("e8m0_decode_samples").properties()) {
            float expected = (float) sample.getValue().doubleValue();
            assertBits(E8m0.decode(Integer.parseInt(sample.getKey())), expected, "code " + sample.getKey());
        }
        for (int code = 0; code < 255; code++) {
            assertBits(E8m0.decode((byte) code), Math.scalb(1f, code - 127), "code " + code);
        }
        assertThat(E8m0.decode(255)).isNaN();
    }

    @Test
    void e8m0EncodeCeiling_leastPowerNotBelow() {
        for (int exponent = -126; exponent <= 127; exponent++) {
            float power = Math.scalb(1f, exponent);
            assertThat(E8m0.encodeCeiling(power) & 0xFF).isEqualTo(exponent + 127);
            if (exponent < 127) {
                assertThat(E8m0.encodeCeiling(Math.nextUp(power)) & 0xFF).isEqualTo(exponent + 128);
            }
        }
        assertThatThrownBy(() -> E8m0.encodeCeiling(0f)).hasMessageContaining("got 0.0");
        assertThatThrownBy(() -> E8m0.encodeCeiling(Float.NaN)).hasMessageContaining("got NaN");
        assertThatThrownBy(() -> E8m0.encodeCeiling(Math.nextUp(0x1p127f))).hasMessageContaining("expected");
    }

    @Test
    void bf16_everyCodeComesBackAndTiesGoToEven() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            float value = Bf16.decode((short) bits);
            if (Float.isNaN(value)) {
                assertThat(Bf16.round(value)).isNaN();
            } else {
                assertThat(Bf16.encode(value)).isEqualTo((short) bits);
            }
        }
        float one = 1;
        float next = Bf16.decode((short) 0x3F81);
        float afterNext = Bf16.decode((short) 0x3F82);
        assertBits(Bf16.round((one + next) / 2), one, "tie below an odd code");
        assertBits(Bf16.round((next + afterNext) / 2), afterNext, "tie above an odd code");
        assertBits(Bf16.round(Math.nextUp((one + next) / 2)), next, "just above a tie");
        assertThat(Bf16.round(Float.MAX_VALUE)).isInfinite();
        assertThat(Bf16.round(Float.intBitsToFloat(0x7F800001))).isNaN();
    }

    static void assertBits(float actual, float expected, String what) {
        assertThat(Float.floatToIntBits(actual))
                .as(what + ": expected " + expected + ", got " + actual)
                .isEqualTo(Float.floatToIntBits(expected));
    }
}
