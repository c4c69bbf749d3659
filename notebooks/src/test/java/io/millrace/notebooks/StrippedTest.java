package io.millrace.notebooks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Notebooks are kept as they are before an execution: `jupyter nbconvert --clear-output --inplace` mends it.
class StrippedTest {
    private static final String CELL = """
            {"cells": [
              {"cell_type": "code", "id": "clean", "execution_count": null, "metadata": {}, "outputs": [], "source": []},
              {"cell_type": "code", "id": "planted", "execution_count": null, "metadata": {}, "outputs": [], "source": []}
            ]}""";

    @Test
    void executedCells_ofTheNotebooks_areNone() throws IOException {
        List<NotebookFile> notebooks = NotebookFile.all(Path.of(""));

        assertThat(notebooks)
                .extracting(NotebookFile::name)
                .containsExactly("compare-two-models.ipynb", "first-run.ipynb", "inspect-a-run.ipynb");
        assertThat(notebooks)
                .allSatisfy(notebook ->
                        assertThat(notebook.executedCells()).as(notebook.name()).isEmpty());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "'outputs': [{'output_type': 'stream', 'name': 'stdout', 'text': ['1']}]",
                "'execution_count': 3",
                "'metadata': {'execution': {'iopub.execute_input': '2026-11-22T21:00:00Z'}}"
            })
    void executedCells_planted_areFound(String left, @TempDir Path dir) throws IOException {
        String field = left.substring(0, left.indexOf(':')).replace('\'', '"');
        int planted = CELL.indexOf("planted");
        int from = CELL.indexOf(field, planted);
        int to = CELL.indexOf(", \"", from);
        String text = CELL.substring(0, from) + left.replace('\'', '"') + CELL.substring(to);

        NotebookFile notebook = NotebookFile.read(Files.writeString(dir.resolve("planted.ipynb"), text));

        assertThat(notebook.executedCells()).containsExactly("planted");
    }
}
