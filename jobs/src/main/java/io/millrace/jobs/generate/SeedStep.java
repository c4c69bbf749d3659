package io.millrace.jobs.generate;

import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat_ws;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.map;
import static org.apache.spark.sql.functions.sha2;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.trim;
import static org.apache.spark.sql.functions.when;

import io.millrace.jobs.InputTable;
import io.millrace.jobs.JobConfig;
import io.millrace.udf.InputColumns;
import io.millrace.udf.PromptTemplate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.jspecify.annotations.Nullable;

/// Reads the rows that everything else comes from; rows that come in stand in front of them. A record
/// that cannot be read, or lacks a value, is a row that is dropped.
///
/// @param input keys of the configuration's group `input`
/// @param template of the prompt: `{text}` is the text column
/// @param answerColumn column of answers that are there already, or null
/// @param columns further columns to keep as `fields`
record SeedStep(
        Map<String, List<String>> input,
        String template,
        @Nullable String answerColumn,
        List<String> columns) implements Step {
    private static final String ORDINAL = "#ordinal";

    static Step read(String name, Parameters parameters) {
        Map<String, List<String>> input = new LinkedHashMap<>();
        input.put("input.path", parameters.texts("input", List.of()));
        for (String key :
                List.of("format", "text-column", "id-column", "reference-column", "limit", "multi-line-csv")) {
            String value = parameters.optional(key);
            if (value != null) {
                input.put("input." + key, List.of(value));
            }
        }
        return new SeedStep(
                input,
                Template.read(parameters, "template", "{text}"),
                parameters.optional("answer-column"),
                parameters.texts("columns", List.of()));
    }

    @Override
    public boolean makesRows() {
        return true;
    }

    @Override
    public String files(Stage stage) {
        JobConfig.Input files = stage.input(input);
        return files + "\n" + InputTable.version(context(stage), files.paths());
    }

    @Override
    public Made run(Stage stage, Dataset<Row> in) {
        Set<String> further = new LinkedHashSet<>(PromptTemplate.parse(template).columns());
        further.addAll(columns);
        if (answerColumn != null) {
            further.add(answerColumn);
        }
        InputTable read = InputTable.of(context(stage), stage.input(input), further);
        Dataset<Row> seeds = seeds(stage, numbered(stage, stage.spark().createDataFrame(read.read(), read.schema())));
        return new Made(PipelineRow.shaped(in).unionByName(seeds), in.count() + read.rows());
    }

    private static JavaSparkContext context(Stage stage) {
        return JavaSparkContext.fromSparkContext(stage.spark().sparkContext());
    }

    /// The rows with their number in the input.
    private static Dataset<Row> numbered(Stage stage, Dataset<Row> rows) {
        return stage.spark()
                .createDataFrame(
                        rows.javaRDD().zipWithIndex().map(numbered -> {
                            List<@Nullable Object> values = new ArrayList<>();
                            for (int column = 0; column < numbered._1().size(); column++) {
                                values.add(numbered._1().get(column));
                            }
                            values.add(numbered._2());
                            return RowFactory.create(values.toArray());
                        }),
                        rows.schema().add(ORDINAL, DataTypes.LongType, false));
    }

    private Dataset<Row> seeds(Stage stage, Dataset<Row> read) {
        List<Column> values = new ArrayList<>();
        values.add(col(InputColumns.TEXT).as(PromptTemplate.TEXT));
        PromptTemplate.parse(template).columns().forEach(column -> values.add(col("`" + column + "`")));
        Column prompt = Template.filled(template, values);
        List<Column> fields = new ArrayList<>();
        for (String column : columns) {
            fields.add(lit(column));
            fields.add(col("`" + column + "`"));
        }
        Column rowId = sha2(concat_ws("\n", lit(stage.name()), col(ORDINAL), coalesce(prompt, lit(""))), 256);
        Dataset<Row> seeds = read.select(
                rowId.as(PipelineRow.ROW_ID),
                rowId.as(PipelineRow.SEED_ID),
                array(lit((long) stage.number()), col(ORDINAL)).as(PipelineRow.POSITION),
                struct(
                                col(InputColumns.FILE).as("file"),
                                col(InputColumns.ROW_GROUP).as("row_group"),
                                col(InputColumns.ROW).as("row"),
                                col(InputColumns.CUSTOM_ID).as("custom_id"))
                        .as(PipelineRow.SOURCE),
                (fields.isEmpty() ? lit(null) : map(fields.toArray(Column[]::new))).as(PipelineRow.FIELDS),
                prompt.as(PipelineRow.PROMPT),
                (answerColumn == null ? lit(null) : col("`" + answerColumn + "`")).as(PipelineRow.ANSWER),
                col(InputColumns.REFERENCE).as(PipelineRow.REFERENCE),
                when(col(InputColumns.FAULT).isNotNull(), col(InputColumns.FAULT))
                        .when(prompt.isNull(), lit("COLUMN_NULL"))
                        .when(trim(prompt).equalTo(""), lit("TEXT_BLANK"))
                        .as(PipelineRow.REASON),
                col(InputColumns.REASON).as(PipelineRow.DETAIL));
        return PipelineRow.shaped(seeds);
    }
}
