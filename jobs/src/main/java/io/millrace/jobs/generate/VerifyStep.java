package io.millrace.jobs.generate;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.map;
import static org.apache.spark.sql.functions.map_concat;

import io.millrace.udf.sandbox.Examiner;
import io.millrace.udf.sandbox.Limits;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;

/// Adds a verdict for each check. Drops nothing: that is a later step's affair, so that it can change
/// without this.
///
/// @param checks by name
record VerifyStep(Map<String, Verifier> checks) implements Step {

    /// Says something about every row.
    interface Verifier {
        /// The rows with a column of {@link PipelineRow#VERDICT_TYPE} by that name.
        Dataset<Row> verified(Dataset<Row> rows, String column);
    }

    private static final List<String> KINDS =
            List.of("regex", "length", "reference", "json-schema", "code", "majority");

    static Step read(String name, Parameters parameters) {
        Map<String, Verifier> checks = new LinkedHashMap<>();
        for (Parameters check : parameters.list("checks")) {
            String kind = check.choice("kind", "regex", KINDS);
            String called = check.text("name", kind);
            if (checks.put(called, verifier(kind, check)) != null) {
                check.wrong("name", "a name that no check before has", called);
            }
            check.refuseUnknown();
        }
        if (checks.isEmpty()) {
            parameters.wrong("checks", "at least one", "none");
        }
        return new VerifyStep(checks);
    }

    private static Verifier verifier(String kind, Parameters check) {
        return switch (kind) {
            case "length" ->
                each(new Check.OfLength(
                        check.integer("min-words", 0, 0),
                        check.integer("max-words", Integer.MAX_VALUE, 0),
                        check.integer("min-chars", 0, 0),
                        check.integer("max-chars", Integer.MAX_VALUE, 0)));
            case "reference" -> each(new Check.OfReference(new Extract(check.pattern("extract", "(?s).+"))));
            case "majority" ->
                new Majority(new Extract(check.pattern("extract", "(?s).+")), check.decimal("min-share", 0, 0, 1));
            case "json-schema" -> {
                if (!check.node("schema").isObject()) {
                    check.wrong("schema", "a JSON Schema as a mapping", check.node("schema"));
                }
                yield each(new SchemaCheck(check.node("schema")));
            }
            case "code" -> each(code(check));
            default -> each(new Check.OfPattern(check.pattern("pattern", ".*"), check.flag("absent", false)));
        };
    }

    private static Check code(Parameters check) {
        Duration wall = Duration.ofSeconds(check.integer("seconds", 10, 1));
        return new CodeCheck(
                new Examiner(null, check.text("python", "python3"), List.of(), Limits.SMALL.withWall(wall)),
                check.choice("language", "python", List.of("python", "java")).equals("java")
                        ? Examiner.Language.JAVA
                        : Examiner.Language.PYTHON,
                Template.read(check, "program", "{code}\n{tests}\n"));
    }

    private static Verifier each(Check check) {
        return new Each(check);
    }

    /// Rows judged one by one.
    record Each(Check check) implements Verifier {
        @Override
        public Dataset<Row> verified(Dataset<Row> rows, String column) {
            return rows.withColumn(column, check.column());
        }
    }

    @Override
    public boolean runsCode() {
        return checks.values().stream()
                .anyMatch(check -> check instanceof Each(Check each) && each instanceof CodeCheck);
    }

    @Override
    public Made run(Stage stage, Dataset<Row> in) {
        Dataset<Row> rows = in;
        for (Map.Entry<String, Verifier> check : checks.entrySet()) {
            rows = verdict(check.getValue().verified(rows, "#verdict"), check.getKey(), "#verdict");
        }
        return new Made(rows, in.count());
    }

    /// Moves a column to the verdicts.
    static Dataset<Row> verdict(Dataset<Row> rows, String name, String column) {
        Column before = coalesce(
                col(PipelineRow.VERDICTS),
                map().cast(DataTypes.createMapType(DataTypes.StringType, PipelineRow.VERDICT_TYPE)));
        return rows.withColumn(
                        PipelineRow.VERDICTS,
                        map_concat(before, map(lit(name), col(column).cast(PipelineRow.VERDICT_TYPE))))
                .drop(column);
    }
}
