package io.millrace.jobs.generate;

import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat_ws;
import static org.apache.spark.sql.functions.conv;
import static org.apache.spark.sql.functions.expr;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sha2;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.substring;
import static org.apache.spark.sql.functions.when;

import io.millrace.jobs.JobException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/// Writes the folder that the Hub and Hugging Face `datasets` read: `data/<split>-00000-of-000NN.parquet`
/// and a card. Which split a row is in follows from its seed, so what descends from one seed stays
/// together.
final class HubDataset {
    private static final String FOLDER = "dataset";
    private static final String STAGING = "_dataset";
    private static final String FACTS = "dataset.json";
    private static final String FILE_NUMBER = "file_number";
    private static final String SPLIT = "#split";
    /// Hex digits that a share is told from: 52 bits, as many as a double holds.
    private static final int SHARE_DIGITS = 13;

    private final StepFolder root;
    private final Pipeline pipeline;
    private final HubLayout layout;
    private final Funnel funnel;

    HubDataset(StepFolder root, Pipeline pipeline, Funnel funnel) {
        this.root = root;
        this.pipeline = pipeline;
        this.layout = pipeline.dataset();
        this.funnel = funnel;
    }

    /// A split as it was written.
    ///
    /// @param bytes of the columns' values before compression
    /// @param fileBytes of the files
    record Split(String name, long rows, int files, long bytes, long fileBytes) {}

    /// What is written.
    ///
    /// @param fingerprint of rows and layout
    record Facts(String fingerprint, List<Split> splits) {}

    Path location() {
        return root.path(FOLDER);
    }

    /// Writes it, unless it is there.
    void write(Dataset<Row> rows) {
        String fingerprint =
                Fingerprints.of(funnel.steps().getLast().outcome(), layout.toString(), Long.toString(pipeline.seed()));
        Facts facts = root.read(FACTS, Facts.class);
        if (facts == null || !facts.fingerprint().equals(fingerprint)) {
            root.delete(FOLDER);
            facts = new Facts(fingerprint, splits(rows));
            requireConserved(facts);
            root.write(FACTS, facts);
        }
        StructType schema = projected(rows).drop(SPLIT, PipelineRow.POSITION).schema();
        root.write(new Path(location(), "README.md"), new DatasetCard(pipeline, funnel, facts.splits(), schema).text());
    }

    private void requireConserved(Facts facts) {
        long kept = funnel.steps().getLast().kept();
        long written = facts.splits().stream().mapToLong(Split::rows).sum();
        if (written != kept) {
            throw new JobException("data set: expected the " + kept + " rows that the last step kept, got " + written);
        }
    }

    private List<Split> splits(Dataset<Row> rows) {
        Dataset<Row> all = projected(rows).localCheckpoint();
        List<Split> splits = new ArrayList<>();
        for (String split : layout.splits().keySet()) {
            Dataset<Row> ofSplit = all.where(col(SPLIT).equalTo(split)).drop(SPLIT);
            long count = ofSplit.count();
            if (count > 0) {
                splits.add(write(split, ofSplit, count));
            }
        }
        return splits;
    }

    private Split write(String split, Dataset<Row> rows, long count) {
        int files = Math.toIntExact(Math.ceilDiv(count, layout.rowsPerFile()));
        Path staging = root.path(STAGING);
        root.delete(STAGING);
        numbered(rows)
                .repartition(files, col(FILE_NUMBER))
                .sortWithinPartitions(FILE_NUMBER, PipelineRow.POSITION)
                .drop(PipelineRow.POSITION)
                .write()
                .option("compression", "zstd")
                .partitionBy(FILE_NUMBER)
                .parquet(staging.toString());
        try {
            return inPlace(split, staging, count, files);
        } catch (IOException e) {
            throw new JobException("data set " + location() + ": expected to be writable, got " + e.getMessage(), e);
        } finally {
            root.delete(STAGING);
        }
    }

    /// With the number of the file that each row belongs in, by its order.
    private Dataset<Row> numbered(Dataset<Row> rows) {
        long rowsPerFile = layout.rowsPerFile();
        return root.spark()
                .createDataFrame(
                        rows.orderBy(PipelineRow.POSITION)
                                .javaRDD()
                                .zipWithIndex()
                                .map(row -> {
                                    Object[] values = new Object[row._1().size() + 1];
                                    for (int column = 0; column < values.length - 1; column++) {
                                        values[column] = row._1().get(column);
                                    }
                                    values[values.length - 1] = row._2() / rowsPerFile;
                                    return RowFactory.create(values);
                                }),
                        rows.schema().add(FILE_NUMBER, DataTypes.LongType));
    }

    private Split inPlace(String split, Path staging, long count, int files) throws IOException {
        Path data = new Path(location(), "data");
        root.fileSystem().mkdirs(data);
        Configuration conf = root.spark().sparkContext().hadoopConfiguration();
        long bytes = 0;
        long fileBytes = 0;
        for (int file = 0; file < files; file++) {
            FileStatus[] parts = root.fileSystem()
                    .globStatus(new Path(new Path(staging, FILE_NUMBER + "=" + file), "part-*.parquet"));
            if (parts.length != 1) {
                throw new JobException(staging + ": expected one file " + file + ", got " + parts.length);
            }
            Path target = new Path(data, String.format(Locale.ROOT, "%s-%05d-of-%05d.parquet", split, file, files));
            if (!root.fileSystem().rename(parts[0].getPath(), target)) {
                throw new JobException(parts[0].getPath() + ": expected to move to " + target);
            }
            fileBytes += parts[0].getLen();
            bytes += bytes(target, conf);
        }
        return new Split(split, count, files, bytes, fileBytes);
    }

    private static long bytes(Path file, Configuration conf) throws IOException {
        try (ParquetFileReader reader = ParquetFileReader.open(HadoopInputFile.fromPath(file, conf))) {
            return reader.getFooter().getBlocks().stream()
                    .mapToLong(BlockMetaData::getTotalByteSize)
                    .sum();
        }
    }

    /// The columns of the data set, with split and position.
    private Dataset<Row> projected(Dataset<Row> rows) {
        List<Column> columns = new ArrayList<>();
        switch (layout.shape()) {
            case MESSAGES -> columns.add(messages(true, col(PipelineRow.ANSWER)).as("messages"));
            case PREFERENCE -> {
                columns.add(messages(true, null).as("prompt"));
                columns.add(messages(false, col(PipelineRow.ANSWER)).as("chosen"));
                columns.add(messages(false, col(PipelineRow.REJECTED)).as("rejected"));
            }
            case PROMPT_COMPLETION -> {
                columns.add(col(PipelineRow.PROMPT));
                columns.add(col(PipelineRow.ANSWER).as("completion"));
            }
        }
        columns.add(metadata().as("metadata"));
        columns.add(split().as(SPLIT));
        columns.add(col(PipelineRow.POSITION));
        return rows.select(columns.toArray(Column[]::new));
    }

    private Column messages(boolean withPrompt, @Nullable Column answer) {
        List<Column> messages = new ArrayList<>();
        if (withPrompt) {
            if (layout.system() != null) {
                messages.add(message("system", lit(layout.system())));
            }
            messages.add(message("user", col(PipelineRow.PROMPT)));
        }
        if (answer != null) {
            messages.add(message("assistant", answer));
        }
        return array(messages.toArray(Column[]::new));
    }

    private static Column message(String role, Column content) {
        return struct(lit(role).as("role"), content.as("content"));
    }

    /// Maps become lists, which every reader of Parquet knows.
    private static Column metadata() {
        Column verdicts = expr("transform(array_sort(map_keys(coalesce(verdicts, map()))), name -> named_struct("
                + "'name', name, 'passed', verdicts[name].passed, 'score', verdicts[name].score,"
                + " 'detail', verdicts[name].detail))");
        Column fields = expr("transform(array_sort(map_keys(coalesce(fields, map()))), name -> named_struct("
                + "'name', name, 'value', fields[name]))");
        return struct(
                col(PipelineRow.ROW_ID),
                col(PipelineRow.SEED_ID),
                col(PipelineRow.PARENT_ID),
                col(PipelineRow.REJECTED_ID),
                col(PipelineRow.SOURCE),
                fields.as(PipelineRow.FIELDS),
                col(PipelineRow.REFERENCE),
                col(PipelineRow.FINISH_REASON),
                col(PipelineRow.PROVENANCE),
                verdicts.as(PipelineRow.VERDICTS),
                col(PipelineRow.QUALITY),
                col(PipelineRow.PII));
    }

    /// The split whose stretch of [0, 1) the seed falls into.
    private Column split() {
        Column digits =
                substring(sha2(concat_ws("\n", lit(pipeline.seed()), col(PipelineRow.SEED_ID)), 256), 1, SHARE_DIGITS);
        Column place = conv(digits, 16, 10).cast("double").divide(Math.pow(16, SHARE_DIGITS));
        List<Map.Entry<String, Double>> splits = List.copyOf(layout.splits().entrySet());
        Column split = lit(splits.getLast().getKey());
        double end = 1;
        for (int at = splits.size() - 2; at >= 0; at--) {
            end -= splits.get(at + 1).getValue();
            split = when(place.lt(end), lit(splits.get(at).getKey())).otherwise(split);
        }
        return split;
    }
}
