package io.millrace.jobs.generate;

import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;

import org.apache.spark.sql.Column;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;

/// The requests that a row and its ancestors came from.
final class Provenance {

    private Provenance() {}

    /// Those that the row has, and one more.
    static Column with(Column request) {
        return concat(coalesce(col(PipelineRow.PROVENANCE), none()), array(request));
    }

    private static Column none() {
        return functions.from_json(functions.lit("[]"), DataTypes.createArrayType(PipelineRow.REQUEST_TYPE));
    }
}
