package io.millrace.npu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.millrace.engine.device.Devices;
import io.millrace.engine.device.KernelContract;
import io.millrace.engine.device.KernelContract.Check;
import io.millrace.engine.device.KernelContract.Tolerance;
import io.millrace.engine.kernel.KernelProvider;
import io.millrace.engine.kernel.Kernels;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Every ring and the software card keep the contract of the kernels.
class KernelContractTest {
    @AfterEach
    void restore() {
        if (SoftwareCard.hasCompiler()) {
            SoftwareCard.get().soc("Ascend910B3");
            SoftwareCard.get().fault("");
        }
    }

    private static void assertKept(List<Check> checks) {
        assertThat(checks.size()).isGreaterThan(60);
        assertThat(checks.stream().filter(check -> !check.passed())).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"reference", "vector"})
    void everyOperation_onTheRingsOfTheJvm(String ring) {
        try (Kernels kernels = KernelProvider.open(ring, 2)) {
            assertKept(KernelContract.run(kernels, Tolerance.FP32));
        }
    }

    @Test
    void everyOperation_onTheCompiledRing() {
        assumeFalse(KernelProvider.levels().isEmpty(), "no compiled kernels here");
        try (Kernels kernels = KernelProvider.open("native", 2)) {
            assertKept(KernelContract.run(kernels, Tolerance.COMPILED));
        }
    }

    /// With the fused operators of each chip and release, and composed where they are absent.
    @ParameterizedTest
    @CsvSource({
        "latest, Ascend910B3, f32",
        "latest, Ascend910B3, bf16",
        "latest, Ascend910B3, int8",
        "latest, Ascend950PR_9589, f32",
        "8.1, Ascend910B3, f32",
        "8.1, Ascend910B3, bf16"
    })
    void everyOperation_onTheSoftwareCard(String release, String soc, String arithmetic) {
        SoftwareCard card = SoftwareCard.get();
        card.soc(soc);
        Tolerance tolerance = switch (arithmetic) {
            case "f32" -> Tolerance.FP32;
            case "bf16" -> Tolerance.BF16;
            default -> Tolerance.INT8;
        };
        try (Kernels kernels = Devices.open("npu:" + card.folder(release) + ":1:" + arithmetic, 1)) {
            assertThat(kernels.description()).startsWith("npu " + soc + " " + arithmetic + ", card 1");
            assertThat(kernels.description().contains("aclnnMhcPost")).isEqualTo(release.equals("8.1"));
            assertKept(KernelContract.run(kernels, tolerance));
        }
        assertThat(card.live()).isEmpty();
    }

    /// The contract can fail.
    @Test
    void aWrongResult_isFound() {
        SoftwareCard card = SoftwareCard.get();
        card.fault("wrong:aclnnSigmoid:1");
        try (Kernels kernels = Devices.open("npu:" + card.folder("latest"), 1)) {
            assertThat(KernelContract.run(kernels, Tolerance.FP32).stream()
                            .filter(check -> !check.passed())
                            .map(Check::operation))
                    .containsExactly("hyperMix, hyperExpand");
        }
        assertThat(card.live()).isEmpty();
    }
}
