package io.millrace.notebooks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;

/// A notebook as nbformat 4 has it.
record NotebookFile(Path path, JsonNode json) {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    static NotebookFile read(Path path) {
        try {
            return new NotebookFile(path, MAPPER.readTree(path.toFile()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Those of a folder.
    static List<NotebookFile> all(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".ipynb"))
                    .sorted()
                    .map(NotebookFile::read)
                    .toList();
        }
    }

    String name() {
        return path.getFileName().toString();
    }

    private List<JsonNode> codeCells() {
        List<JsonNode> cells = new ArrayList<>();
        json.path("cells").forEach(cell -> {
            if (cell.path("cell_type").asText().equals("code")) {
                cells.add(cell);
            }
        });
        return cells;
    }

    /// Code cells that hold what an execution left behind: outputs, a count, times.
    List<String> executedCells() {
        return codeCells().stream()
                .filter(cell -> !cell.path("outputs").isEmpty()
                        || !cell.path("execution_count").isNull()
                        || !cell.path("metadata").isEmpty())
                .map(cell -> cell.path("id").asText())
                .toList();
    }

    private Stream<JsonNode> outputs() {
        return codeCells().stream().flatMap(cell -> cell.path("outputs").valueStream());
    }

    /// What cells failed with.
    List<String> errors() {
        return outputs()
                .filter(output -> output.path("output_type").asText().equals("error"))
                .map(output -> output.path("evalue").asText())
                .toList();
    }

    /// PNG files that are shown.
    List<byte[]> pictures() {
        return outputs()
                .map(output -> output.path("data").path("image/png").asText().strip())
                .filter(text -> !text.isEmpty())
                .map(text -> Base64.getMimeDecoder().decode(text))
                .toList();
    }

    /// Tables that are shown, and what was printed.
    String words() {
        StringBuilder words = new StringBuilder();
        outputs().forEach(output -> {
            output.path("text").forEach(line -> words.append(line.asText()));
            words.append(output.path("text").asText());
            output.path("data").path("text/html").forEach(line -> words.append(line.asText()));
            words.append(output.path("data").path("text/html").asText());
        });
        return words.toString();
    }
}
