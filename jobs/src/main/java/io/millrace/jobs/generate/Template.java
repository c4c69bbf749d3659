package io.millrace.jobs.generate;

import io.millrace.udf.PromptTemplate;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.jspecify.annotations.Nullable;

/// Fills a {@link PromptTemplate} in; null where a value is null.
final class Template implements UDF1<Row, @Nullable String> {
    private static final long serialVersionUID = 1L;

    private final String template;
    private transient @Nullable PromptTemplate parsed;

    private Template(String template) {
        this.template = template;
    }

    /// The template's key, read and checked.
    static String read(Parameters parameters, String key, String otherwise) {
        String template = parameters.text(key, otherwise);
        try {
            PromptTemplate.parse(template);
            return template;
        } catch (IllegalArgumentException e) {
            parameters.wrong(key, "a template", template + " (" + e.getMessage() + ")");
            return "{text}";
        }
    }

    /// @param values a column for each placeholder, named by it
    static Column filled(String template, List<Column> values) {
        return functions
                .udf(new Template(template), DataTypes.StringType)
                .apply(functions.struct(values.toArray(Column[]::new)));
    }

    @Override
    public @Nullable String call(Row values) {
        if (parsed == null) {
            parsed = PromptTemplate.parse(template);
        }
        for (String column : parsed.columns()) {
            if (values.<@Nullable String>getAs(column) == null) {
                return null;
            }
        }
        String text = "";
        if (parsed.textUses() > 0) {
            String given = values.getAs(PromptTemplate.TEXT);
            if (given == null) {
                return null;
            }
            text = given;
        }
        return parsed.render(text, values::getAs);
    }
}
