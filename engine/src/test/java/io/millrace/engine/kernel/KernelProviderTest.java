package io.millrace.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.millrace.engine.api.EngineException;
import org.junit.jupiter.api.Test;

class KernelProviderTest {
    private static String description(String ring) {
        try (Kernels kernels = KernelProvider.open(ring, 1)) {
            return kernels.description();
        }
    }

    @Test
    void open_aLevelByName_describesIt() {
        assumeFalse(KernelProvider.levels().isEmpty(), NativeLibrary::reason);
        for (String level : KernelProvider.levels()) {
            assertThat(description("native:" + level)).isEqualTo("C kernels for " + level + ", 1 threads (asked for)");
        }
    }

    @Test
    void open_nativeAndAuto_takeTheBestLevelAndSayWhy() {
        assumeFalse(KernelProvider.levels().isEmpty(), NativeLibrary::reason);
        String best = KernelProvider.levels().getLast();
        assertThat(description("native")).startsWith("C kernels for " + best + ",");
        assertThat(description("auto"))
                .isEqualTo("C kernels for " + best + ", 1 threads (the best this processor has of "
                        + KernelProvider.levels() + ")");
    }

    @Test
    void open_aLevelThatTheProcessorLacks_namesThoseItHas() {
        assumeFalse(KernelProvider.levels().isEmpty(), NativeLibrary::reason);
        assertThatThrownBy(() -> KernelProvider.open("native:quantum", 1))
                .isInstanceOf(EngineException.class)
                .hasMessage(
                        "ring native:quantum: expected a level of this processor, one of " + KernelProvider.levels());
    }
}
