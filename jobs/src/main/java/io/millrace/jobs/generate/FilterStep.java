package io.millrace.jobs.generate;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.expr;
import static org.apache.spark.sql.functions.lit;

import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/// Keeps the rows for which expressions of Spark SQL over the row's columns hold. A row is dropped by the
/// first that does not hold, or is null, and the expression's name is the reason.
///
/// @param rules expression by name
record FilterStep(Map<String, String> rules) implements Step {

    static Step read(String name, Parameters parameters) {
        Map<String, String> rules = new LinkedHashMap<>();
        Parameters given = parameters.below("rules");
        given.entries().keySet().forEach(rule -> rules.put(rule, given.text(rule)));
        if (rules.isEmpty()) {
            parameters.wrong("rules", "at least one name with an expression", "none");
        }
        return new FilterStep(rules);
    }

    @Override
    public Made run(Stage stage, Dataset<Row> in) {
        Dataset<Row> rows = in;
        for (Map.Entry<String, String> rule : rules.entrySet()) {
            rows = PipelineRow.require(rows, expr(rule.getValue()), lit(rule.getKey()), lit(rule.getValue()));
        }
        return new Made(rows, in.select(col(PipelineRow.ROW_ID)).count());
    }
}
