package io.millrace.jobs.generate;

import io.millrace.udf.Languages;
import io.millrace.udf.TextMetrics;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.expressions.UserDefinedFunction;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/// Figures about a text, as the column dictionary of `schemas` defines them for an answer. Thresholds
/// belong to a later filter, so that they can change without inference.
final class Quality {
    static final StructType TYPE = new StructType()
            .add("chars", DataTypes.IntegerType)
            .add("words", DataTypes.IntegerType)
            .add("repetition", DataTypes.DoubleType)
            .add("replacement_chars", DataTypes.DoubleType)
            .add("template_leak", DataTypes.BooleanType)
            .add("json_valid", DataTypes.BooleanType)
            .add("language", DataTypes.StringType);

    private static final ThreadLocal<Languages> LANGUAGES = ThreadLocal.withInitial(Languages::new);

    private Quality() {}

    /// Of a string column, a struct of {@link #TYPE}; null of null.
    static UserDefinedFunction function() {
        UDF1<String, @Nullable Row> of = text -> text == null ? null : of(text);
        return functions.udf(of, TYPE);
    }

    static Row of(String text) {
        return RowFactory.create(
                text.codePointCount(0, text.length()),
                TextMetrics.words(text).size(),
                TextMetrics.repetition(text),
                TextMetrics.replacementShare(text),
                TextMetrics.leaksTemplate(text),
                TextMetrics.isJson(text),
                LANGUAGES.get().of(text));
    }
}
