package io.millrace.jobs.generate;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.posexplode;
import static org.apache.spark.sql.functions.struct;

import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.api.java.UDF2;
import org.apache.spark.sql.expressions.UserDefinedFunction;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;

/// Pairs of texts that share most of their runs of words: candidates by {@link MinHash}, each compared
/// exactly. All of it is joins; the driver sees no row. A bucket of k rows makes k (k - 1) / 2
/// candidates, so rows whose texts are equal should be gone before.
///
/// @param words in a run
/// @param threshold Jaccard similarity of the sets of runs from which two texts are near duplicates
record NearDuplicates(int words, MinHash minHash, double threshold) {

    /// @param texts columns `position`, `row_id` and `text`
    /// @return pairs as {@link FirstWins} takes them
    Dataset<Row> pairs(Dataset<Row> texts) {
        Dataset<Row> sets = texts.select(
                        struct(col(PipelineRow.POSITION), col(PipelineRow.ROW_ID))
                                .as("#row"),
                        shingles().apply(col("text")).as("#shingles"))
                .localCheckpoint();
        Dataset<Row> bands = sets.select(col("#row"), posexplode(bandKeys().apply(col("#shingles"))));
        Dataset<Row> candidates = bands.as("a")
                .join(
                        bands.as("b"),
                        col("a.pos")
                                .equalTo(col("b.pos"))
                                .and(col("a.col").equalTo(col("b.col")))
                                .and(col("a.#row").lt(col("b.#row"))))
                .select(col("a.#row").as(FirstWins.EARLIER), col("b.#row").as(FirstWins.LATER))
                .distinct();
        return candidates
                .join(
                        sets.select(
                                col("#row").as(FirstWins.EARLIER),
                                col("#shingles").as("#first")),
                        FirstWins.EARLIER)
                .join(
                        sets.select(
                                col("#row").as(FirstWins.LATER),
                                col("#shingles").as("#second")),
                        FirstWins.LATER)
                .withColumn(FirstWins.SIMILARITY, jaccard().apply(col("#first"), col("#second")))
                .where(col(FirstWins.SIMILARITY).geq(threshold))
                .select(FirstWins.EARLIER, FirstWins.LATER, FirstWins.SIMILARITY);
    }

    private UserDefinedFunction shingles() {
        int n = words;
        UDF1<String, byte[]> of = text -> Shingles.bytes(Shingles.of(text == null ? "" : text, n));
        return functions.udf(of, DataTypes.BinaryType);
    }

    private UserDefinedFunction bandKeys() {
        MinHash hash = minHash;
        UDF1<byte[], long[]> keys = shingles -> hash.bandKeys(Shingles.ofBytes(shingles));
        return functions.udf(keys, DataTypes.createArrayType(DataTypes.LongType, false));
    }

    private static UserDefinedFunction jaccard() {
        UDF2<byte[], byte[], Double> jaccard = (a, b) -> Shingles.jaccard(Shingles.ofBytes(a), Shingles.ofBytes(b));
        return functions.udf(jaccard, DataTypes.DoubleType);
    }
}
