package io.millrace.udf;

import java.util.Iterator;
import java.util.function.Function;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;

/// Makes output rows of the input rows of a partition, in their order.
@FunctionalInterface
public interface RowFunction {

    /// Each row and sample that is wanted has one output row, whatever happens to it.
    ///
    /// @param rows of the shape of {@link InputColumns}; of each at least one sample is wanted
    /// @param wanted how a row is computed; null if it is not wanted
    Iterator<Row> call(Iterator<Row> rows, Function<RowIdentity, @Nullable GenerateRecipe> wanted);
}
