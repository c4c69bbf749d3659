package io.millrace.engine.device;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DevicesTest {
    @Test
    void providers_beginWithTheCpu() {
        assertThat(Devices.providers().getFirst().name()).isEqualTo("cpu");
    }

    @Test
    void availability_ofTheCpuNamesProcessorsAndRing() {
        assertThat(Devices.providers().getFirst().availability())
                .isInstanceOfSatisfying(
                        Availability.Available.class,
                        available -> assertThat(available.description())
                                .startsWith(Runtime.getRuntime().availableProcessors() + " processors, ")
                                .containsPattern("C kernels for |Vector API, |reference"));
    }

    @Test
    void sentence_isTheDescriptionOrTheReason() {
        assertThat(new Availability.Available("two cores").sentence()).isEqualTo("two cores");
        assertThat(new Availability.Unavailable("no card").sentence()).isEqualTo("no card");
    }
}
