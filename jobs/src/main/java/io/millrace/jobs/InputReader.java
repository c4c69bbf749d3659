package io.millrace.jobs;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.from_json;
import static org.apache.spark.sql.functions.length;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.trim;
import static org.apache.spark.sql.functions.when;

import io.millrace.udf.InputColumns;
import io.millrace.udf.PromptTemplate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/// Reads a corpus into the shape of {@link InputColumns}, and counts it. Only the columns that are needed
/// are read, all as strings; a record that cannot be parsed stays a row. Counting reads the input once and
/// infers nothing.
///
/// Files other than Parquet are not split: only then is a row's number in its file known without a second
/// pass, and one task reads text far faster than all tasks together work on it. The rows are spread over
/// tasks afterwards.
final class InputReader {
    private static final String PATH = "_metadata.file_path";
    private static final String CORRUPT = "#corrupt";
    /// Larger than any file, and small enough that sums of it do not overflow.
    private static final String NEVER_SPLIT = Long.toString(1L << 50);

    private final SparkSession spark;
    private final JobConfig.Input input;
    private final List<String> templateColumns;
    private String textColumn = "";

    InputReader(SparkSession spark, JobConfig.Input input, String template) {
        this.spark = spark;
        this.input = input;
        templateColumns = PromptTemplate.parse(template).columns();
    }

    /// Plans the input.
    ///
    /// @throws JobException if there are no such files, no such column, or no file system for a path
    Corpus read() {
        InputFiles files = InputFiles.find(spark, input.paths());
        InputFormat format = input.format() == InputFormat.AUTO ? files.format() : input.format();
        textColumn = textColumn(format);
        return format == InputFormat.PARQUET ? parquet(files) : counted(format);
    }

    private String textColumn(InputFormat format) {
        String given = input.textColumn();
        if (given == null && format != InputFormat.TEXT) {
            throw new JobException("input.text-column: expected the column that holds the text, got none");
        }
        return given == null ? InputFormat.TEXT_VALUE : given;
    }

    private Corpus parquet(InputFiles files) {
        Dataset<Row> source = spark.read().parquet(paths());
        Set<String> columns = new LinkedHashSet<>(Arrays.asList(source.columns()));
        Dataset<Row> rows = source.select(selection(columns, col("_metadata.row_index"), lit(null)));
        Map<String, long[]> starts = files.rowGroupStarts(source.inputFiles());
        SortedMap<String, Long> rowsByFile = new TreeMap<>();
        starts.forEach((file, firstRows) -> rowsByFile.put(file, firstRows[firstRows.length - 1]));
        return located(rows, starts, rowsByFile);
    }

    private Corpus counted(InputFormat format) {
        spark.conf().set("spark.sql.files.maxPartitionBytes", NEVER_SPLIT);
        spark.conf().set("spark.sql.files.openCostInBytes", NEVER_SPLIT);
        Dataset<Row> source = format == InputFormat.CSV ? csv() : lines(format);
        SortedMap<String, Long> rowsByFile = new TreeMap<>();
        source.groupBy(col(PATH))
                .count()
                .collectAsList()
                .forEach(row -> rowsByFile.put(InputFiles.name(row.getString(0)), row.getLong(1)));
        return located(format == InputFormat.JSONL ? json(source) : plain(source), null, rowsByFile);
    }

    private Dataset<Row> csv() {
        Dataset<Row> header = spark.read().options(csvOptions()).csv(paths());
        StructType schema = new StructType();
        for (String column : header.columns()) {
            schema = schema.add(column, DataTypes.StringType, true);
        }
        return spark.read().options(csvOptions()).schema(schema).csv(paths());
    }

    private Map<String, String> csvOptions() {
        // quotes inside quoted fields are doubled, as RFC 4180 has it
        return Map.of("header", "true", "escape", "\"", "multiLine", Boolean.toString(input.multiLineCsv()));
    }

    private Dataset<Row> lines(InputFormat format) {
        Dataset<Row> lines = spark.read()
                .option("wholetext", format == InputFormat.TEXT && input.wholeFiles())
                .text(paths());
        return format == InputFormat.JSONL
                ? lines.filter(length(trim(col(InputFormat.TEXT_VALUE))).gt(0))
                : lines;
    }

    private Dataset<Row> plain(Dataset<Row> source) {
        Set<String> columns = new LinkedHashSet<>(Arrays.asList(source.columns()));
        return source.select(selection(columns, lit(null).cast(DataTypes.LongType), lit(null)));
    }

    /// Lines as JSON objects of which only the needed fields are read. A field that no line has cannot be
    /// told from one that is null here, so its rows become error rows.
    private Dataset<Row> json(Dataset<Row> lines) {
        Set<String> columns = neededColumns();
        StructType schema = new StructType();
        for (String column : columns) {
            schema = schema.add(column, DataTypes.StringType, true);
        }
        schema = schema.add(CORRUPT, DataTypes.StringType, true);
        Column record = from_json(col(InputFormat.TEXT_VALUE), schema, Map.of("columnNameOfCorruptRecord", CORRUPT));
        Dataset<Row> records =
                lines.select(col(PATH).as("#path"), col(InputFormat.TEXT_VALUE).as("#line"), record.as("#record"));
        List<Column> selected = new ArrayList<>();
        selected.add(col("#path"));
        selected.add(lit(null).cast(DataTypes.LongType));
        for (String column : List.of(orEmpty(input.idColumn()), textColumn, orEmpty(input.referenceColumn()))) {
            selected.add(
                    column.isEmpty()
                            ? lit(null).cast(DataTypes.StringType)
                            : col("#record").getField(column));
        }
        selected.add(when(col("#record").isNull(), col("#line"))
                .otherwise(col("#record").getField(CORRUPT)));
        templateColumns.forEach(column -> selected.add(col("#record").getField(column)));
        return records.select(selected.toArray(Column[]::new));
    }

    private static String orEmpty(@Nullable String column) {
        return column == null ? "" : column;
    }

    private Set<String> neededColumns() {
        Set<String> columns = new LinkedHashSet<>();
        columns.add(textColumn);
        if (input.idColumn() != null) {
            columns.add(input.idColumn());
        }
        if (input.referenceColumn() != null) {
            columns.add(input.referenceColumn());
        }
        columns.addAll(templateColumns);
        return columns;
    }

    /// The columns that {@link LocateRows} reads.
    private Column[] selection(Set<String> existing, Column rowIndex, Column malformed) {
        List<String> missing = neededColumns().stream()
                .filter(column -> !existing.contains(column))
                .toList();
        if (!missing.isEmpty()) {
            throw new JobException(
                    "input " + input.paths() + ": expected the columns " + missing + ", got " + existing);
        }
        List<Column> columns = new ArrayList<>();
        columns.add(col(PATH));
        columns.add(rowIndex);
        columns.add(text(input.idColumn()));
        columns.add(text(textColumn));
        columns.add(text(input.referenceColumn()));
        columns.add(malformed.cast(DataTypes.StringType));
        templateColumns.forEach(column -> columns.add(text(column)));
        return columns.toArray(Column[]::new);
    }

    private static Column text(@Nullable String column) {
        Column value = column == null ? lit(null) : col("`" + column.replace("`", "``") + "`");
        return value.cast(DataTypes.StringType);
    }

    private Corpus located(
            Dataset<Row> rows, @Nullable Map<String, long[]> rowGroupStarts, SortedMap<String, Long> rowsByFile) {
        SortedMap<String, Long> taken = limited(rowsByFile);
        Dataset<Row> shaped = rows.toDF(LocateRows.inputSchema(templateColumns).fieldNames());
        Dataset<Row> located = shaped.mapPartitions(
                new LocateRows(rowGroupStarts, taken), Encoders.row(InputColumns.schema(templateColumns)));
        return new Corpus(located, taken);
    }

    /// The first rows, files in the order of their names.
    private SortedMap<String, Long> limited(SortedMap<String, Long> rowsByFile) {
        long left = input.limit() == 0 ? Long.MAX_VALUE : input.limit();
        SortedMap<String, Long> taken = new TreeMap<>();
        for (Map.Entry<String, Long> file : rowsByFile.entrySet()) {
            long rows = Math.min(left, file.getValue());
            if (rows > 0) {
                taken.put(file.getKey(), rows);
                left -= rows;
            }
        }
        return taken;
    }

    private String[] paths() {
        return input.paths().toArray(String[]::new);
    }
}
