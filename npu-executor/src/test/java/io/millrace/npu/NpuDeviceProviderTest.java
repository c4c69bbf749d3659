package io.millrace.npu;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.device.Availability;
import io.millrace.engine.device.DeviceProvider;
import io.millrace.engine.device.Devices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NpuDeviceProviderTest {
    @TempDir
    private Path folder;

    @Test
    void providers_includeTheNpuAfterTheCpu() {
        assertThat(Devices.providers()).extracting(DeviceProvider::name).containsExactly("cpu", "npu");
    }

    @Test
    void availability_withoutLibraryNamesEveryPlaceLookedAt() {
        Path elsewhere = folder.resolve("elsewhere");

        assertThat(reason(folder, elsewhere))
                .isEqualTo("no Ascend runtime: libascendcl.so: the loader cannot open it; "
                        + folder.resolve("libascendcl.so") + ": no such file; " + elsewhere.resolve("libascendcl.so")
                        + ": no such file");
    }

    @Test
    void availability_ofADamagedFileSaysThatItDoesNotOpen() throws IOException {
        Path file = Files.writeString(folder.resolve("libascendcl.so"), "not a library", UTF_8);

        assertThat(reason(folder)).endsWith(file + ": the loader cannot open it");
    }

    @Test
    void availability_ofANamesakeSaysWhatIsMissingInIt() throws Exception {
        Path file = compile("int something_else(void) { return 0; }");

        assertThat(reason(folder))
                .isEqualTo("found " + file + "; " + file + ": expected the function aclInit, got none");
    }

    @Test
    void availability_ofTheSoftwareCardCountsCards() {
        Path place = SoftwareCard.get().folder("latest");
        Availability availability = new NpuDeviceProvider(List.of(place)).availability();
        assertThat(availability).isInstanceOf(Availability.Available.class);
        assertThat(availability.sentence())
                .startsWith("found " + place.resolve("libascendcl.so") + "; 2 cards; without libhccl.so (")
                .contains(place.resolve("libhccl.so") + ": no such file");
    }

    @ParameterizedTest
    @ValueSource(strings = {"fp8", "0:fast", "-1"})
    void open_anUnknownChoiceIsRefused(String choice) {
        assertThatThrownBy(() -> Devices.open("npu:" + choice, 1))
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_CONFIGURATION))
                .hasMessageStartingWith("ring npu:" + choice
                        + ": expected a card's number, one of [f32, bf16, int8] or a folder, got ");
    }

    private static String reason(Path... folders) {
        Availability availability = new NpuDeviceProvider(List.of(folders)).availability();
        assertThat(availability).isInstanceOf(Availability.Unavailable.class);
        return availability.sentence();
    }

    /// A library of that one C function under the name of CANN's.
    private Path compile(String source) throws IOException, InterruptedException {
        assumeTrue(SoftwareCard.hasCompiler(), "no C compiler (cc) on the path to build a look-alike library with");
        Path file = Files.writeString(folder.resolve("library.c"), source, UTF_8);
        Path library = folder.resolve("libascendcl.so");
        Process compiler = new ProcessBuilder(
                        "cc", "-shared", "-fPIC", "-Wl,-z,noexecstack", "-o", library.toString(), file.toString())
                .inheritIO()
                .start();
        assertThat(compiler.waitFor(1, TimeUnit.MINUTES)).isTrue();
        assertThat(compiler.exitValue()).isZero();
        return library;
    }
}
