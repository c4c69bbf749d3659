package io.millrace.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millrace.engine.kernel.Ceilings.Ceiling;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CeilingsTest {
    /// Orders of magnitude: a loop that the compiler dropped, or counted in the wrong unit, falls out.
    @Test
    void measure_isWhatACoreCanDo() {
        Map<Ceiling, Double> measured = Ceilings.measure(1);
        assertThat(measured).containsKeys(Ceiling.FLOAT, Ceiling.MEMORY);
        assertThat(measured.get(Ceiling.FLOAT)).isBetween(1e8, 1e12);
        assertThat(measured.get(Ceiling.MEMORY)).isBetween(1e7, 1e12);
    }

    @Test
    void spin_countsTwoOperationsForAMultiplyAdd() {
        NativeLibrary.Functions functions = NativeLibrary.functions();
        assumeTrue(functions != null, NativeLibrary::reason);
        long once = functions.spin(0, 1);
        assumeTrue(once > 0, "this processor multiplies no int8 vectors");
        assertThat(functions.spin(0, 1000)).isEqualTo(1000 * once);
        assertThat(functions.spin(99, 1)).isEqualTo(-1);
    }
}
