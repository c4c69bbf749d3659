package io.millrace.jobs.generate;

import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/// A session for tests of joins.
final class LocalSpark implements AutoCloseable {
    private static final StructType TEXTS = new StructType()
            .add(PipelineRow.POSITION, DataTypes.createArrayType(DataTypes.LongType))
            .add(PipelineRow.ROW_ID, DataTypes.StringType)
            .add("text", DataTypes.StringType);

    final SparkSession session = SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.sql.shuffle.partitions", "2")
            .getOrCreate();

    /// Texts in order, the row_id of each its number.
    Dataset<Row> texts(List<String> texts) {
        List<Row> rows = IntStream.range(0, texts.size())
                .mapToObj(row -> RowFactory.create(new long[] {row}, Integer.toString(row), texts.get(row)))
                .toList();
        return session.createDataFrame(rows, TEXTS);
    }

    @Override
    public void close() {
        session.stop();
    }
}
