package io.millrace.jobs.generate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.millrace.jobs.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.Type;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The folder in the Hub's layout: its files, and the card's header against them.
class HubDatasetIT {
    private static final int SEEDS = 60;

    @TempDir
    private Path dir = Path.of("");

    private GenerateRun generated(String steps, String dataset) throws IOException {
        return generated("out", steps, dataset);
    }

    private GenerateRun generated(String output, String steps, String dataset) throws IOException {
        StringBuilder seeds = new StringBuilder();
        for (int row = 0; row < SEEDS; row++) {
            seeds.append(row).append(" is the number of this seed\n");
        }
        Path input = Files.writeString(dir.resolve("seeds.txt"), seeds);
        Path pipeline = Files.writeString(dir.resolve("pipeline.yaml"), """
                name: layout
                seed: 3
                settings: {engine.kind: saying, engine.model-dir: SCRIPT, sampling.temperature: 1}
                steps:
                  - seeds: {input: INPUT, format: text}
                  - answer: {samples: 2}
                STEPS
                dataset: DATASET
                """.replace(
                        "SCRIPT",
                        Files.writeString(
                                        dir.resolve("script.json"),
                                        "[{\"when\": \"seed\", \"say\": [\"one\", \"two words\", \"other words\"]}]")
                                .toString())
                .replace("INPUT", input.toString())
                .replace("STEPS", steps)
                .replace("DATASET", dataset));
        GenerateRun job = new GenerateRun(dir.resolve(output));
        assertThat(job.run(pipeline)).as(job.err()).isEqualTo(ExitCode.OK);
        return job;
    }

    private JsonNode header() throws IOException {
        String card = Files.readString(dir.resolve("out/dataset/README.md"));
        assertThat(card).startsWith("---\n");
        return new ObjectMapper(new YAMLFactory()).readTree(card.substring(4, card.indexOf("\n---\n")));
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.walk(dir.resolve("out/dataset"))) {
            return files.filter(Files::isRegularFile).sorted().toList();
        }
    }

    @Test
    void files_areNamedAsTheHubHasThem_andTheCardCountsThem() throws IOException {
        GenerateRun job = generated("", "{splits: {train: 0.7, test: 0.3}, rows-per-file: 25, system: Be brief.}");

        Map<String, Long> rows = new TreeMap<>();
        Map<String, Long> bytes = new TreeMap<>();
        long fileBytes = 0;
        GroupType schema = null;
        for (Path file : files()) {
            String name = file.getFileName().toString();
            if (name.equals("README.md")) {
                continue;
            }
            assertThat(name).matches("(train|test)-\\d{5}-of-\\d{5}\\.parquet");
            String split = name.substring(0, name.indexOf('-'));
            fileBytes += Files.size(file);
            try (ParquetFileReader reader = ParquetFileReader.open(
                    HadoopInputFile.fromPath(new org.apache.hadoop.fs.Path(file.toUri()), new Configuration()))) {
                rows.merge(split, reader.getRecordCount(), Long::sum);
                long size = reader.getFooter().getBlocks().stream()
                        .mapToLong(BlockMetaData::getTotalByteSize)
                        .sum();
                bytes.merge(split, size, Long::sum);
                schema = reader.getFooter().getFileMetaData().getSchema();
            }
        }
        assertThat(rows.get("train") + rows.get("test")).isEqualTo(2L * SEEDS);
        for (String split : rows.keySet()) {
            long files = Math.ceilDiv(rows.get(split), 25);
            for (int file = 0; file < files; file++) {
                assertThat(dir.resolve(String.format(
                                java.util.Locale.ROOT, "out/dataset/data/%s-%05d-of-%05d.parquet", split, file, files)))
                        .exists();
            }
        }
        JsonNode header = header();
        JsonNode info = header.path("dataset_info");
        assertThat(info.path("splits")).hasSize(2).allSatisfy(split -> {
            assertThat(split.path("num_examples").asLong())
                    .isEqualTo(rows.get(split.path("name").asText()));
            assertThat(split.path("num_bytes").asLong())
                    .isEqualTo(bytes.get(split.path("name").asText()));
        });
        assertThat(info.path("download_size").asLong()).isEqualTo(fileBytes);
        assertThat(info.path("dataset_size").asLong()).isEqualTo(bytes.get("train") + bytes.get("test"));
        assertThat(header.at("/configs/0/data_files/1/path").asText()).isEqualTo("data/test-*");
        assertThat(header.path("size_categories").get(0).asText()).isEqualTo("n<1K");
        assertFeatures(
                info.path("features"), java.util.Objects.requireNonNull(schema).getFields());
        Row first = job.split("train").getFirst();
        assertThat(first.<Row>getList(0))
                .extracting(message -> message.getString(0))
                .containsExactly("system", "user", "assistant");
    }

    /// The card's features name the columns of the files, and are of their kinds.
    private static void assertFeatures(JsonNode features, List<Type> columns) {
        assertThat(features)
                .extracting(feature -> feature.path("name").asText())
                .isEqualTo(columns.stream().map(Type::getName).toList());
        for (int column = 0; column < columns.size(); column++) {
            Type type = columns.get(column);
            JsonNode feature = features.get(column);
            if (feature.has("dtype")) {
                String expected = switch (type.asPrimitiveType().getPrimitiveTypeName()) {
                    case BINARY -> "string";
                    case INT32 -> "int32";
                    case INT64 -> "int64";
                    case DOUBLE -> "float64";
                    case BOOLEAN -> "bool";
                    default -> "unexpected " + type;
                };
                assertThat(feature.path("dtype").asText()).isEqualTo(expected);
            } else if (feature.has("struct")) {
                assertFeatures(feature.path("struct"), type.asGroupType().getFields());
            } else {
                Type element = type.asGroupType().getType(0).asGroupType().getType(0);
                assertFeatures(feature.path("list"), element.asGroupType().getFields());
            }
        }
    }

    @Test
    void splits_keepWhatDescendsFromASeedTogether_inOrder() throws IOException {
        GenerateRun job = generated("", "{splits: {train: 0.5, test: 0.5}, rows-per-file: 7}");

        GenerateRun elsewhere = generated("elsewhere/out", "", "{splits: {train: 0.5, test: 0.5}, rows-per-file: 7}");
        // the same rows and answers in whichever folder, request ids aside, which are those of runs
        assertThat(elsewhere.split("train"))
                .extracting(row -> row.get(0) + row.<Row>getAs("metadata").getString(0))
                .isEqualTo(job.split("train").stream()
                        .map(row -> row.get(0) + row.<Row>getAs("metadata").getString(0))
                        .toList());
        List<String> train = seeds(job.split("train"));
        List<String> test = seeds(job.split("test"));
        Set<String> both = new HashSet<>(train);
        both.retainAll(test);
        assertThat(both).isEmpty();
        assertThat(new TreeSet<>(train)).hasSizeBetween(SEEDS / 4, 3 * SEEDS / 4);
        // both answers of a seed stand beside each other, and files follow each other
        for (int row = 0; row < train.size(); row += 2) {
            assertThat(train.get(row)).isEqualTo(train.get(row + 1));
        }
        List<Integer> numbers = job.split("train").stream()
                .map(row -> Integer.parseInt(
                        row.<Row>getList(0).getFirst().getString(1).split(" ")[0]))
                .toList();
        assertThat(numbers).isSorted();
    }

    private static List<String> seeds(List<Row> rows) {
        return rows.stream()
                .map(row -> row.<Row>getAs("metadata").<String>getAs("seed_id"))
                .toList();
    }

    @Test
    void preference_takesTheBestAndTheWorst() throws IOException {
        GenerateRun job = generated(
                "  - verify: {checks: [{name: words, kind: length}]}\n  - pair: {by: words}", "{format: preference}");

        Map<String, Long> counts = job.counts("pair");
        assertThat(counts.get("kept")).isPositive().isEqualTo(counts.get("paired"));
        assertThat(2 * counts.get("kept") + counts.get("no-contrast")).isEqualTo(2L * SEEDS);
        assertThat(job.split("train")).allSatisfy(row -> {
            assertThat(row.schema().fieldNames()).containsExactly("prompt", "chosen", "rejected", "metadata");
            String chosen = row.<Row>getList(1).getFirst().getString(1);
            String rejected = row.<Row>getList(2).getFirst().getString(1);
            assertThat(chosen.split(" ").length).isGreaterThan(rejected.split(" ").length);
            assertThat(row.<Row>getAs("metadata").<String>getAs("rejected_id")).matches("[0-9a-f]{64}");
        });
    }
}
