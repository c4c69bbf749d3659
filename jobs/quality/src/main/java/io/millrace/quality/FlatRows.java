package io.millrace.quality;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/// The rows with every struct taken apart: `error.class` becomes `error_class`. Deequ does not see nested
/// columns.
final class FlatRows {

    private FlatRows() {}

    /// @throws AuditException when two columns would have the same flat name
    static Dataset<Row> of(Dataset<Row> rows) {
        Map<String, String> paths = new HashMap<>();
        List<Column> columns = new ArrayList<>();
        collect(rows.schema(), "", "", paths, columns);
        return rows.select(columns.toArray(Column[]::new));
    }

    private static void collect(
            StructType type, String path, String prefix, Map<String, String> paths, List<Column> columns) {
        for (StructField field : type.fields()) {
            String fieldPath = path + quoted(field.name());
            String name = prefix + field.name();
            if (field.dataType() instanceof StructType struct) {
                collect(struct, fieldPath + ".", name + "_", paths, columns);
                continue;
            }
            String before = paths.putIfAbsent(name, fieldPath);
            if (before != null) {
                throw new AuditException(
                        "output: columns " + before + " and " + fieldPath + " both flatten to " + name);
            }
            columns.add(functions.col(fieldPath).as(name));
        }
    }

    /// A name as SQL reads it, whatever characters it has.
    static String quoted(String name) {
        return "`" + name.replace("`", "``") + "`";
    }
}
