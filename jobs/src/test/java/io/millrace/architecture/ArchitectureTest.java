package io.millrace.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Turns every rule on the program, and on planted classes that break it.
class ArchitectureTest {
    private static final Architecture PROGRAM = new Architecture("io.millrace");
    private static final JavaClasses PROGRAM_CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .withImportOption(location -> !location.contains("/io/millrace/architecture/"))
            .importPackages("io.millrace");

    private static final Architecture PLANTED = new Architecture("io.millrace.architecture.violations");
    private static final JavaClasses PLANTED_CLASSES =
            new ClassFileImporter().importPackages("io.millrace.architecture.violations");

    @ParameterizedTest
    @MethodSource("names")
    void rule_holdsInTheProgram(String name) {
        rule(PROGRAM, name).check(PROGRAM_CLASSES);
    }

    @ParameterizedTest
    @CsvSource({
        "layer schemas.., schemas.KnowsTheEngine",
        "layer engine.api.., engine.api.KnowsTensors",
        "layer engine.kernel.., engine.kernel.KnowsTheModel",
        "layer npu.., npu.KnowsTheModel",
        "layer udf.., udf.KnowsKernels",
        "layer jobs, jobs.KnowsKernels",
        "schemas alone, schemas.KnowsTheEngine",
        "engine alone, engine.tensor.KnowsSpark",
        "no cycles, engine.kernel",
        "vector api, engine.tensor.Vectors",
        "native calls, engine.tensor.CallsNative",
        "spark at the edge, engine.tensor.KnowsSpark",
        "standard streams, engine.tensor.Prints",
        "bare exceptions, engine.tensor.Throws",
        "null marked, engine.tensor.Prints",
        "serializable, engine.tensor.Travels",
    })
    void rule_bitesOnAPlantedClass(String name, String planted) {
        ArchRule rule = rule(PLANTED, name).allowEmptyShould(false);

        assertThatThrownBy(() -> rule.check(PLANTED_CLASSES))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining(planted);
    }

    @Test
    void importer_findsTheProgram() {
        assertThat(PROGRAM_CLASSES).hasSizeGreaterThan(150);
        assertThat(PROGRAM.emptyLayers(PROGRAM_CLASSES)).isEmpty();
    }

    static Stream<String> names() {
        return PROGRAM.rules().keySet().stream();
    }

    private static ArchRule rule(Architecture architecture, String name) {
        Map<String, ArchRule> rules = architecture.rules();
        assertThat(rules).containsKey(name);
        return rules.get(name);
    }
}
