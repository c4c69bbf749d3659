package io.millrace.jobs.generate;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat_ws;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sha2;
import static org.apache.spark.sql.functions.when;

import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/// The row that all steps share. A row that a step drops stays in that step's table with the reason; the
/// next step reads the others.
final class PipelineRow {
    /// SHA-256, lower-case hex: of a seed over its number and prompt, of others over the row it was made
    /// from, the step and a number. The same pipeline on the same data gives the same, wherever its files
    /// are.
    static final String ROW_ID = "row_id";
    /// `row_id` of the first row of the line of descent.
    static final String SEED_ID = "seed_id";
    /// `row_id` of the row it was made from; null for a first one.
    static final String PARENT_ID = "parent_id";
    /// Numbers of the line of descent; rows are ordered by it.
    static final String POSITION = "position";
    /// Where the seed stands: struct of file, row_group, row, custom_id.
    static final String SOURCE = "source";
    /// Further columns of the seed, by name.
    static final String FIELDS = "fields";
    static final String PROMPT = "prompt";
    static final String ANSWER = "answer";
    static final String FINISH_REASON = "finish_reason";
    static final String REFERENCE = "reference";
    /// The worse answer of a preference.
    static final String REJECTED = "rejected";
    /// `row_id` of the row that answer came from.
    static final String REJECTED_ID = "rejected_id";
    /// Requests that the row and its ancestors came from, the first first.
    static final String PROVENANCE = "provenance";
    /// What checks said, by name: struct of passed, score, detail.
    static final String VERDICTS = "verdicts";
    static final String QUALITY = "quality";
    static final String PII = "pii";
    static final String CONTAMINATION = "contamination";
    /// Why the row was dropped, in a word to group by; null if it was kept.
    static final String REASON = "reason";
    static final String DETAIL = "detail";

    static final StructType SOURCE_TYPE = new StructType()
            .add("file", DataTypes.StringType)
            .add("row_group", DataTypes.IntegerType)
            .add("row", DataTypes.LongType)
            .add("custom_id", DataTypes.StringType);
    static final StructType REQUEST_TYPE = new StructType()
            .add("step", DataTypes.StringType)
            .add("request_id", DataTypes.StringType)
            .add("model", DataTypes.StringType)
            .add("revision", DataTypes.StringType)
            .add("weights_sha", DataTypes.StringType);
    static final StructType VERDICT_TYPE = new StructType()
            .add("passed", DataTypes.BooleanType)
            .add("score", DataTypes.DoubleType)
            .add("detail", DataTypes.StringType);
    static final StructType CONTAMINATION_TYPE = new StructType()
            .add("benchmark", DataTypes.StringType)
            .add("ngram", DataTypes.StringType)
            .add("hits", DataTypes.LongType);

    static final StructType SCHEMA = new StructType()
            .add(ROW_ID, DataTypes.StringType)
            .add(SEED_ID, DataTypes.StringType)
            .add(PARENT_ID, DataTypes.StringType)
            .add(POSITION, DataTypes.createArrayType(DataTypes.LongType))
            .add(SOURCE, SOURCE_TYPE)
            .add(FIELDS, DataTypes.createMapType(DataTypes.StringType, DataTypes.StringType))
            .add(PROMPT, DataTypes.StringType)
            .add(ANSWER, DataTypes.StringType)
            .add(FINISH_REASON, DataTypes.StringType)
            .add(REFERENCE, DataTypes.StringType)
            .add(REJECTED, DataTypes.StringType)
            .add(REJECTED_ID, DataTypes.StringType)
            .add(PROVENANCE, DataTypes.createArrayType(REQUEST_TYPE))
            .add(VERDICTS, DataTypes.createMapType(DataTypes.StringType, VERDICT_TYPE))
            .add(QUALITY, Quality.TYPE)
            .add(PII, PersonalData.TYPE)
            .add(CONTAMINATION, CONTAMINATION_TYPE)
            .add(REASON, DataTypes.StringType)
            .add(DETAIL, DataTypes.StringType);

    private PipelineRow() {}

    /// The columns in their order; those that the rows lack are null, others are left out.
    static Dataset<Row> shaped(Dataset<Row> rows) {
        Column[] columns = new Column[SCHEMA.length()];
        for (int field = 0; field < columns.length; field++) {
            String name = SCHEMA.fields()[field].name();
            boolean isThere = rows.schema().getFieldIndex(name).isDefined();
            columns[field] = (isThere ? col(name) : lit(null))
                    .cast(SCHEMA.fields()[field].dataType())
                    .as(name);
        }
        return rows.select(columns);
    }

    /// Rows that were not dropped.
    static Dataset<Row> kept(Dataset<Row> rows) {
        return rows.where(col(REASON).isNull());
    }

    /// The identity of what a step made of the row `parent`.
    static Column childId(Column parent, String step, Column number) {
        return sha2(concat_ws("\n", parent, lit(step), number), 256);
    }

    /// Drops rows where the condition does not hold, with the reason; rows that were dropped before keep
    /// theirs.
    static Dataset<Row> require(Dataset<Row> rows, Column condition, Column reason, Column detail) {
        Column fails = col(REASON).isNull().and(condition.isNull().or(condition.equalTo(false)));
        return rows.withColumn(DETAIL, when(fails, detail).otherwise(col(DETAIL)))
                .withColumn(REASON, when(fails, reason).otherwise(col(REASON)));
    }
}
