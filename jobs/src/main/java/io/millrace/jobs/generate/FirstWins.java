package io.millrace.jobs.generate;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.min_by;

import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/// Decides which of rows that resemble each other stay: a row is dropped exactly if an earlier row that
/// stays resembles it. So no two rows that stay resemble each other, and each that is dropped has one
/// that stays and is named.
///
/// Found in rounds: rows that no undecided row precedes stay, what they resemble is dropped, and the
/// pairs of both are done with. There are as many rounds as the longest chain of resemblances has links,
/// each a join.
final class FirstWins {
    static final String EARLIER = "earlier";
    static final String LATER = "later";
    static final String SIMILARITY = "similarity";

    private FirstWins() {}

    /// @param pairs columns `earlier` and `later` (structs of position and row_id, comparable) and
    ///     `similarity`
    /// @return columns `later` (struct), `earlier` (struct; the first of those that drop it) and
    ///     `similarity` of the two, a row for each that is dropped
    static Dataset<Row> dropped(Dataset<Row> pairs) {
        Dataset<Row> left = pairs.select(EARLIER, LATER, SIMILARITY).localCheckpoint();
        Dataset<Row> dropped = left.limit(0);
        while (!left.isEmpty()) {
            Dataset<Row> preceded = left.select(col(LATER).as("#preceded")).distinct();
            Dataset<Row> lost = left.join(preceded, col(EARLIER).equalTo(col("#preceded")), "left_anti")
                    .groupBy(LATER)
                    .agg(
                            min_by(col(SIMILARITY), col(EARLIER)).as(SIMILARITY),
                            min(EARLIER).as(EARLIER))
                    .select(EARLIER, LATER, SIMILARITY)
                    .localCheckpoint();
            Dataset<Row> gone = lost.select(col(LATER).as("#gone"));
            dropped = dropped.unionByName(lost);
            left = left.join(gone, col(LATER).equalTo(col("#gone")), "left_anti")
                    .join(gone, col(EARLIER).equalTo(col("#gone")), "left_anti")
                    .localCheckpoint();
        }
        return dropped;
    }
}
