package io.millrace.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class TableSchemaTest {

    @Test
    void load_completion_isAStructOfFields() {
        TableSchema schema = TableSchema.completion();

        assertThat(schema.name()).isEqualTo("completion");
        assertThat(schema.version()).isEqualTo(3);
        assertThat(schema.json()).startsWith("{\n  \"type\": \"struct\"").contains("\"request_id\"");
    }

    @Test
    void load_unknownVersion_listsWhatExists() {
        assertThatThrownBy(() -> TableSchema.load("completion", 4))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "schema completion.v4: expected one of [completion.v1, completion.v2, completion.v3, run.v1, run.v2]");
    }

    @Test
    void load_unknownName_listsWhatExists() {
        assertThatThrownBy(() -> TableSchema.load("prompts", 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("prompts.v1")
                .hasMessageContaining("completion.v1");
    }

    @Test
    void constructor_versionZero_isRefused() {
        assertThatThrownBy(() -> new TableSchema("completion", 0, "{}"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("got 0");
    }

    @Test
    void available_isExactlyWhatTheResourcesHold() throws IOException, URISyntaxException {
        assertThat(resourceNames()).containsExactlyInAnyOrderElementsOf(TableSchema.AVAILABLE);
        for (String name : TableSchema.AVAILABLE) {
            int dot = name.lastIndexOf(".v");
            assertThat(TableSchema.load(name.substring(0, dot), Integer.parseInt(name.substring(dot + 2)))
                            .json())
                    .isNotBlank();
        }
    }

    private static List<String> resourceNames() throws IOException, URISyntaxException {
        URL folder = Objects.requireNonNull(TableSchema.class.getResource("/schemas"));
        try (Stream<Path> files = Files.list(Path.of(folder.toURI()))) {
            return files.map(file -> file.getFileName().toString().replace(".json", ""))
                    .toList();
        }
    }
}
