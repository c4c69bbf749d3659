package io.millrace.jobs.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeType;
import com.univocity.parsers.csv.CsvParser;
import com.univocity.parsers.csv.CsvParserSettings;
import io.millrace.jobs.evaluate.ifeval.Instructions;
import io.millrace.jobs.evaluate.python.PythonText;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/// Documents of a task's splits, from files on this machine: JSON, JSONL, CSV or Parquet, plain or with
/// `.gz`.
///
/// A task names its files as Hugging Face's `datasets` has it: `dataset_path: json`, `csv` or `parquet`
/// with `dataset_kwargs.data_files` by split, or by a file or folder in `dataset_path`, in which
/// `dataset_name` may be a folder and files of a split begin with its name.
final class Documents {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> BUILDERS = List.of("json", "csv", "parquet");

    /// Where NLTK's own tools put the parameters by which sentences are counted, from its folder of data.
    private static final String PUNKT = "nltk_data/tokenizers/punkt_tab/english";

    private final Path root;

    /// @param root where relative paths begin
    Documents(Path root) {
        this.root = root;
    }

    /// All documents of a split, in the order of the files' names.
    ///
    /// @throws TaskException if there are none, or a file cannot be read
    List<Map<String, @Nullable Object>> of(Task task, String split) {
        Keys keys = task.keys();
        List<Map<String, @Nullable Object>> documents = new ArrayList<>();
        for (Path file : files(keys, split)) {
            documents.addAll(read(file, keys.mapping("dataset_kwargs")));
        }
        if (documents.isEmpty()) {
            throw new TaskException(keys.where() + ": split " + split + ": expected documents, got none");
        }
        return documents;
    }

    /// What says whether answers follow the instructions in a task's documents.
    Instructions instructions(Keys keys) {
        return new Instructions(root.resolve(keys.mapping("metadata").text("punkt", PUNKT)));
    }

    private List<Path> files(Keys keys, String split) {
        String path = keys.required("dataset_path");
        if (BUILDERS.contains(path)) {
            Keys files = keys.mapping("dataset_kwargs").mapping("data_files");
            if (!files.has(split)) {
                throw new TaskException(
                        keys.where() + ": dataset_kwargs.data_files: expected files of split " + split + ", got none");
            }
            return files.texts(split).stream().map(root::resolve).toList();
        }
        Path place = root.resolve(path);
        if (Files.isRegularFile(place)) {
            return List.of(place);
        }
        String name = keys.text("dataset_name");
        Path folder = name != null && Files.isDirectory(place.resolve(name)) ? place.resolve(name) : place;
        List<Path> files = new ArrayList<>();
        for (Path candidate : List.of(folder, folder.resolve("data"))) {
            if (Files.isDirectory(candidate)) {
                files.addAll(splitFiles(candidate, split));
            }
        }
        if (files.isEmpty()) {
            throw new TaskException(keys.where() + ": dataset_path: expected a file, or a folder with files of split "
                    + split + ", got " + folder.toAbsolutePath());
        }
        return files;
    }

    private static List<Path> splitFiles(Path folder, String split) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName()
                            .toString()
                            .matches(Pattern.quote(split) + "([-_.].*)?\\.(json|jsonl|csv|parquet)(\\.gz)?"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new TaskException(folder + ": expected a readable folder, got " + e.getMessage(), e);
        }
    }

    private static List<Map<String, @Nullable Object>> read(Path file, Keys options) {
        String name = file.getFileName().toString().replaceFirst("\\.gz$", "");
        try {
            if (name.endsWith(".parquet")) {
                return ParquetDocuments.read(file);
            }
            try (Reader reader = reader(file)) {
                return name.endsWith(".csv") ? csv(reader, options) : json(reader, file, options);
            }
        } catch (IOException e) {
            throw new TaskException(file + ": expected readable documents, got " + e.getMessage(), e);
        }
    }

    private static Reader reader(Path file) throws IOException {
        InputStream bytes = Files.newInputStream(file);
        return new InputStreamReader(
                file.toString().endsWith(".gz") ? new GZIPInputStream(bytes) : bytes,
                StandardCharsets.UTF_8.newDecoder());
    }

    /// Objects one after another, an array of them, or an array in the field that `field` names.
    private static List<Map<String, @Nullable Object>> json(Reader reader, Path file, Keys options) throws IOException {
        List<Map<String, @Nullable Object>> documents = new ArrayList<>();
        String field = options.text("field");
        try (MappingIterator<JsonNode> values = JSON.readerFor(JsonNode.class).readValues(reader)) {
            while (values.hasNext()) {
                JsonNode value = values.next();
                JsonNode wanted = field == null ? value : value.path(field);
                for (JsonNode document : wanted.isArray() ? wanted : List.of(wanted)) {
                    if (!document.isObject()) {
                        throw new TaskException(file + ": expected objects, got " + document.getNodeType());
                    }
                    documents.add(object(document));
                }
            }
        }
        return documents;
    }

    private static Map<String, @Nullable Object> object(JsonNode node) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        node.properties().forEach(field -> map.put(field.getKey(), value(field.getValue())));
        return map;
    }

    private static @Nullable Object value(JsonNode node) {
        if (node.isObject()) {
            return object(node);
        }
        if (node.isArray()) {
            List<@Nullable Object> list = new ArrayList<>();
            node.forEach(item -> list.add(value(item)));
            return list;
        }
        if (node.getNodeType() == JsonNodeType.NULL) {
            return null;
        }
        if (node.isBoolean()) {
            return node.booleanValue();
        }
        return node.isNumber()
                ? node.isIntegralNumber() ? node.longValue() : (Object) node.doubleValue()
                : node.textValue();
    }

    /// With names of columns from the first line or from `column_names`. A column of nothing but whole
    /// numbers holds those; every other holds texts.
    private static List<Map<String, @Nullable Object>> csv(Reader reader, Keys options) {
        CsvParserSettings settings = new CsvParserSettings();
        settings.setMaxCharsPerColumn(-1);
        settings.setNullValue("");
        settings.setEmptyValue("");
        settings.setIgnoreLeadingWhitespaces(false);
        settings.setIgnoreTrailingWhitespaces(false);
        settings.getFormat().setDelimiter(options.text("sep", options.text("delimiter", ",")));
        List<String[]> lines = new CsvParser(settings).parseAll(reader);
        List<String> names = options.texts("column_names");
        int first = (int) options.whole("skiprows", 0);
        if (names.isEmpty()) {
            names = List.of(lines.get(first++));
        }
        List<String[]> cells = lines.subList(first, lines.size());
        List<Map<String, @Nullable Object>> documents = new ArrayList<>();
        cells.forEach(_ -> documents.add(new LinkedHashMap<>()));
        for (int column = 0; column < names.size(); column++) {
            int index = column;
            boolean whole = cells.stream().allMatch(line -> isWhole(cell(line, index)));
            for (int row = 0; row < documents.size(); row++) {
                String cell = cell(cells.get(row), column);
                documents.get(row).put(names.get(column), whole ? (Object) Long.parseLong(cell) : cell);
            }
        }
        return documents;
    }

    private static String cell(String[] line, int column) {
        return column < line.length ? line[column] : "";
    }

    private static boolean isWhole(String cell) {
        return cell.matches("0|-?[1-9][0-9]{0,17}");
    }

    /// The document as a line of a message.
    static String shown(Map<String, ? extends @Nullable Object> document) {
        String shown = PythonText.repr(document);
        return shown.length() <= 200 ? shown : shown.substring(0, 200) + "…";
    }
}
