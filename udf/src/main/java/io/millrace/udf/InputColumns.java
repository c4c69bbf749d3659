package io.millrace.udf;

import java.util.List;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/// The columns a task reads. Whoever reads the corpus brings it into this shape: where a row comes from,
/// then every text it may need. Names start with a character that no template can hold.
public final class InputColumns {

    /// Input file, string.
    public static final String FILE = "#file";
    /// Length and time of modification of the file, string; part of a row's identity.
    public static final String FILE_VERSION = "#file_version";
    /// Row group in the file, int; of lines the stretch, 0 where a file is not cut.
    public static final String ROW_GROUP = "#row_group";
    /// Row in the row group, long.
    public static final String ROW = "#row";
    /// The caller's own key, string, nullable.
    public static final String CUSTOM_ID = "#custom_id";
    /// The text to work on, string, nullable.
    public static final String TEXT = "#text";
    /// The reference text, string, nullable.
    public static final String REFERENCE = "#reference";
    /// Name of the {@link RowFault} of a record that could not be read, string, null otherwise.
    public static final String FAULT = "#fault";
    /// What was expected of such a record and what was found, string, null otherwise.
    public static final String REASON = "#reason";
    /// Such a record as far as {@link RawText} keeps it, string, null otherwise or if there is none.
    public static final String RAW = "#raw";

    /// JSON object of what the row asks for in place of the run's sampling, string, nullable; see {@link
    /// RowParameters}.
    public static final String PARAMETERS = "#parameters";
    /// JSON array of strings to score behind the prompt, string; null for a row that is to be completed.
    public static final String CONTINUATIONS = "#continuations";

    private InputColumns() {}

    /// The shape, with the template's columns other than `text` at the end.
    public static StructType schema(List<String> templateColumns) {
        StructType schema = new StructType()
                .add(FILE, DataTypes.StringType, false)
                .add(FILE_VERSION, DataTypes.StringType, false)
                .add(ROW_GROUP, DataTypes.IntegerType, false)
                .add(ROW, DataTypes.LongType, false)
                .add(CUSTOM_ID, DataTypes.StringType, true)
                .add(TEXT, DataTypes.StringType, true)
                .add(REFERENCE, DataTypes.StringType, true)
                .add(FAULT, DataTypes.StringType, true)
                .add(REASON, DataTypes.StringType, true)
                .add(RAW, DataTypes.StringType, true)
                .add(PARAMETERS, DataTypes.StringType, true)
                .add(CONTINUATIONS, DataTypes.StringType, true);
        for (String column : templateColumns) {
            schema = schema.add(column, DataTypes.StringType, true);
        }
        return schema;
    }
}
