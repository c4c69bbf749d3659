package io.millrace.jobs.generate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import io.millrace.jobs.Builds;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/// The README of a data set: a header that the Hub reads, and for people what was done and what became of
/// every row.
record DatasetCard(Pipeline pipeline, Funnel funnel, List<HubDataset.Split> splits, StructType schema) {
    private static final Map<DataType, String> DTYPES = Map.of(
            DataTypes.StringType, "string",
            DataTypes.IntegerType, "int32",
            DataTypes.LongType, "int64",
            DataTypes.DoubleType, "float64",
            DataTypes.BooleanType, "bool");

    String text() {
        return "---\n" + yaml(header()) + "---\n" + body();
    }

    private static String yaml(Map<String, Object> header) {
        try {
            return new ObjectMapper(new YAMLFactory().disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER))
                    .writeValueAsString(header);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("maps of strings and numbers can be written", e);
        }
    }

    private Map<String, Object> header() {
        HubLayout layout = pipeline.dataset();
        Map<String, Object> header = new LinkedHashMap<>();
        header.put("license", layout.license());
        if (!layout.languages().isEmpty()) {
            header.put("language", layout.languages());
        }
        header.put("pretty_name", layout.prettyName() == null ? pipeline.name() : layout.prettyName());
        header.put("size_categories", List.of(sizeCategory()));
        header.put("task_categories", layout.taskCategories());
        header.put("tags", layout.tags());
        header.put("configs", List.of(config()));
        header.put("dataset_info", info());
        return header;
    }

    private Map<String, Object> config() {
        Map<String, Object> config = new LinkedHashMap<>();
        config.put("config_name", "default");
        config.put(
                "data_files",
                splits.stream()
                        .map(split -> {
                            Map<String, Object> files = new LinkedHashMap<>();
                            files.put("split", split.name());
                            files.put("path", "data/" + split.name() + "-*");
                            return files;
                        })
                        .toList());
        return config;
    }

    private Map<String, Object> info() {
        Map<String, Object> info = new LinkedHashMap<>();
        info.put("features", features(schema));
        List<Map<String, Object>> sizes = new ArrayList<>();
        for (HubDataset.Split split : splits) {
            Map<String, Object> size = new LinkedHashMap<>();
            size.put("name", split.name());
            size.put("num_bytes", split.bytes());
            size.put("num_examples", split.rows());
            sizes.add(size);
        }
        info.put("splits", sizes);
        info.put(
                "download_size",
                splits.stream().mapToLong(HubDataset.Split::fileBytes).sum());
        info.put(
                "dataset_size",
                splits.stream().mapToLong(HubDataset.Split::bytes).sum());
        return info;
    }

    /// The columns in the words of `datasets.Features`.
    static List<Map<String, Object>> features(StructType schema) {
        List<Map<String, Object>> features = new ArrayList<>();
        for (StructField field : schema.fields()) {
            Map<String, Object> feature = new LinkedHashMap<>();
            feature.put("name", field.name());
            switch (field.dataType()) {
                case StructType struct -> feature.put("struct", features(struct));
                case ArrayType list
                when list.elementType() instanceof StructType struct -> feature.put("list", features(struct));
                case ArrayType list -> feature.put("list", dtype(list.elementType()));
                case DataType plain -> feature.put("dtype", dtype(plain));
            }
            features.add(feature);
        }
        return features;
    }

    private static String dtype(DataType type) {
        String dtype = DTYPES.get(type);
        if (dtype == null) {
            throw new IllegalArgumentException("expected a type of " + DTYPES.keySet() + ", got " + type);
        }
        return dtype;
    }

    private String sizeCategory() {
        long rows = splits.stream().mapToLong(HubDataset.Split::rows).sum();
        String[] bounds = {"1K", "10K", "100K", "1M", "10M", "100M", "1B"};
        long bound = 1000;
        for (int at = 0; at < bounds.length; at++, bound *= 10) {
            if (rows < bound) {
                return at == 0 ? "n<1K" : bounds[at - 1] + "<n<" + bounds[at];
            }
        }
        return "n>1B";
    }

    private String body() {
        StringBuilder text = new StringBuilder();
        HubLayout layout = pipeline.dataset();
        text.append("\n# ")
                .append(layout.prettyName() == null ? pipeline.name() : layout.prettyName())
                .append("\n\n");
        if (layout.description() != null) {
            text.append(layout.description().strip()).append("\n\n");
        }
        text.append("Made by `millrace generate`, version ")
                .append(Builds.version())
                .append(".\n");
        text.append("\n## What became of the rows\n\n").append(funnel.markdown());
        notes(text);
        models(text);
        text.append("\n## Where a row comes from\n\n");
        text.append("""
                `metadata.source` is the place of the seed in the input, `metadata.seed_id` its identity; all rows of a
                seed are in one split. `metadata.provenance` names each request that made the row, the first first: the
                step, the `request_id` in that step's run, the model, its revision and the SHA-256 of its weights.
                `metadata.verdicts` holds what each check said, `metadata.quality` and `metadata.pii` figures and
                counts.
                """);
        text.append("\n## Parameters\n\n```yaml\n")
                .append(pipeline.source().strip())
                .append("\n```\n");
        return text.toString();
    }

    private void notes(StringBuilder text) {
        for (StepCounts step : funnel.steps()) {
            for (String note : step.notes()) {
                text.append("\n- `").append(step.name()).append("`: ").append(note);
            }
        }
        text.append(funnel.steps().stream().allMatch(step -> step.notes().isEmpty()) ? "" : "\n");
    }

    private void models(StringBuilder text) {
        Set<String> lines = new LinkedHashSet<>();
        for (StepCounts step : funnel.steps()) {
            for (StepCounts.RunFacts run : step.runs()) {
                lines.add(String.format(
                        Locale.ROOT,
                        "| %s | `%s` | %s | `%s` | %s | %s | %,d | %,d | %,d | %,d | %,d |",
                        run.folder(),
                        run.model(),
                        run.revision(),
                        run.weightsSha()
                                .substring(0, Math.min(12, run.weightsSha().length())),
                        run.quantization(),
                        run.gate(),
                        run.ok(),
                        run.errors(),
                        run.quarantined(),
                        run.promptTokens(),
                        run.completionTokens()));
            }
        }
        if (!lines.isEmpty()) {
            text.append("\n## Models and gates\n\n");
            text.append("| run | model | revision | weights | format | gate | ok | errors | set aside"
                    + " | prompt tokens | completion tokens |\n|---|---|---|---|---|---|--:|--:|--:|--:|--:|\n");
            lines.forEach(line -> text.append(line).append('\n'));
        }
    }
}
