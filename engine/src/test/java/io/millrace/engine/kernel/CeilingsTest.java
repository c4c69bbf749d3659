package io.millrace.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millrace.engine.kernel.Ceilings.Ceiling;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
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

    @Test
    void read_readsAllWholeLines() {
        NativeLibrary.Functions functions = NativeLibrary.functions();
        assumeTrue(functions != null, NativeLibrary::reason);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(64 * 40, 64);
            for (int word = 0; word < 8 * 40; word++) {
                memory.setAtIndex(ValueLayout.JAVA_LONG, word, 1L << word % 64);
                assertThat(functions.read(memory)).isEqualTo(1L << word % 64);
                memory.setAtIndex(ValueLayout.JAVA_LONG, word, 0);
            }
        }
    }
}
