package io.millrace.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millrace.engine.kernel.NativeLibrary.Functions;
import io.millrace.engine.kernel.NativeLibrary.Level;
import io.millrace.engine.tensor.DType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The libraries that the jar carries, each in a process whose buffers end at forbidden pages: this
/// machine's as it is, and each platform's under qemu on processors that have less and more.
class PlatformProductsTest {
    @TempDir
    private Path folder;

    enum Processor {
        HERE("", "", List.of()),
        NEHALEM("x86_64", "Nehalem", List.of()),
        HASWELL("x86_64", "Haswell", List.of(Level.AVX2)),
        CORTEX_A72("aarch64", "cortex-a72", List.of(Level.NEON)),
        CORTEX_A76("aarch64", "cortex-a76", List.of(Level.NEON, Level.DOTPROD)),
        ARM_OF_ALL_FEATURES("aarch64", "max", List.of(Level.NEON, Level.DOTPROD, Level.I8MM));

        private final String architecture;
        private final String cpu;
        private final List<Level> levels;

        Processor(String architecture, String cpu, List<Level> levels) {
            this.architecture = architecture;
            this.cpu = cpu;
            this.levels = levels;
        }

        List<Level> levels() {
            return this == HERE ? functions().levels() : levels;
        }

        private static Functions functions() {
            assumeTrue(NativeLibrary.functions() != null, NativeLibrary::reason);
            return Objects.requireNonNull(NativeLibrary.functions());
        }

        /// Tools are looked for by the names, and libraries in the folder, that Debian gives them.
        ProductsProcess start(Path folder) throws IOException, InterruptedException {
            if (this == HERE) {
                boolean arm = functions().best().compareTo(Level.NEON) >= 0;
                return ProductsProcess.start(folder, arm ? "linux-aarch64" : "linux-x86_64", "cc", List.of());
            }
            String target = architecture + "-linux-gnu";
            List<String> emulator = List.of("qemu-" + architecture, "-L", "/usr/" + target, "-cpu", cpu);
            return ProductsProcess.start(folder, "linux-" + architecture, target + "-gcc", emulator);
        }
    }

    /// Also: loading a library runs nothing that a lesser processor cannot.
    @ParameterizedTest
    @EnumSource
    void levels_areThoseOfTheProcessor(Processor processor) throws IOException, InterruptedException {
        try (ProductsProcess process = processor.start(folder)) {
            assertThat(process.levels()).isEqualTo(processor.levels());
        }
    }

    private interface Check {
        void run(ProductParity parity, Level level, DType dtype);
    }

    private void forEach(Processor processor, List<DType> formats, Check check)
            throws IOException, InterruptedException {
        try (ProductsProcess process = processor.start(folder)) {
            ProductParity parity = new ProductParity(process);
            for (Level level : processor.levels()) {
                for (DType dtype : formats) {
                    check.run(parity, level, dtype);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NEHALEM")
    void product_everyTail_isWithinTheRoundingOfItsArithmetic(Processor processor)
            throws IOException, InterruptedException {
        forEach(processor, ProductParity.FORMATS, ProductParity::everyTailIsWithinRounding);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NEHALEM")
    void product_rowAlone_hasTheSameBitsAsInCompany(Processor processor) throws IOException, InterruptedException {
        forEach(processor, ProductParity.FORMATS, ProductParity::aRowAloneHasTheSameBitsAsInCompany);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NEHALEM")
    void product_ofARowThatIsNotFinite_isNotFinite(Processor processor) throws IOException, InterruptedException {
        forEach(processor, ProductParity.FORMATS, ProductParity::whatIsNotFiniteStaysSo);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NEHALEM")
    void product_byAScaleThatIsNoNumber_isNone(Processor processor) throws IOException, InterruptedException {
        List<DType> formats = List.of(DType.F8_E4M3, DType.FP4_E2M1, DType.MXFP4);
        forEach(processor, formats, ProductParity::aScaleThatIsNoNumberIsSeen);
    }

    /// Levels of one source file differ in instructions, not in bits.
    @ParameterizedTest
    @EnumSource(names = {"HERE", "CORTEX_A76", "ARM_OF_ALL_FEATURES"})
    void product_levelsOfOneSource_haveTheSameBits(Processor processor) throws IOException, InterruptedException {
        try (ProductsProcess process = processor.start(folder)) {
            List<Level> levels = new ArrayList<>(processor.levels());
            levels.removeAll(List.of(Level.AVX512_VNNI, Level.AMX));
            for (DType dtype : ProductParity.FORMATS) {
                new ProductParity(process).levelsAgree(levels, dtype);
            }
        }
    }
}
