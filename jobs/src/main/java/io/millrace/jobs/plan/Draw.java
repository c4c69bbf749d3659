package io.millrace.jobs.plan;

import io.millrace.udf.RowIdentity;
import java.io.Serializable;

/// Which rows are looked at: each by its own identity, so that neither partitions nor order decide.
///
/// @param share of the rows, in [0, 1]
record Draw(long seed, double share) implements Serializable {

    /// About `wanted` of `rows`.
    static Draw of(long seed, long wanted, long rows) {
        return new Draw(seed, rows <= wanted ? 1 : (double) wanted / rows);
    }

    boolean isAll() {
        return share >= 1;
    }

    boolean takes(RowIdentity row) {
        // 53 random bits as a number in [0, 1)
        return isAll() || (row.seed(seed, 0) >>> 11) * 0x1p-53 < share;
    }
}
