package io.millrace.jobs.swebench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.jobs.ConfigException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EnvironmentFileTest {
    @TempDir
    private Path dir = Path.of("");

    @Test
    void all_aFileOfTheUser_comesBeforeTheBundled() throws IOException {
        Path file = Files.writeString(dir.resolve("mine.yaml"), """
                repositories: [google/gson, me/mine]
                variables: {ONE: "1", TWO: $ONE and more}
                test: [make check, make more]
                """);

        List<TestEnvironment> environments = EnvironmentFile.all(List.of(file));

        assertThat(environments.getFirst().repositories()).containsExactly("google/gson", "me/mine");
        assertThat(environments.getFirst().test()).containsExactly("make check", "make more");
        assertThat(environments.getFirst().variables().keySet()).containsExactly("ONE", "TWO");
        assertThat(environments)
                .extracting(environment -> environment.repositories().getFirst())
                .containsExactly("google/gson", "google/gson", "sympy/sympy");
    }

    @Test
    void all_wrongFile_allThatIsWrong() throws IOException {
        Path file = Files.writeString(dir.resolve("mine.yaml"), """
                repositorys: me/mine
                settings: none
                log-parser: parse_log_cobol
                """);

        assertThatThrownBy(() -> EnvironmentFile.all(List.of(file)))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("repositorys: no such key")
                .hasMessageContaining("settings: expected a mapping, got STRING")
                .hasMessageContaining("log-parser: expected a name of the datasets")
                .hasMessageContaining("repositories: expected owner/name, got none")
                .hasMessageContaining("test: expected a command, got none");
    }
}
