package io.millrace.jobs;

import io.millrace.udf.shard.InputBlock;
import io.millrace.udf.shard.InputFile;
import java.util.List;

/// An input file as planned.
///
/// @param blocks in order, with the rows taken from each; those without rows are left out
record PlannedFile(InputFile file, List<InputBlock> blocks) {

    PlannedFile {
        blocks = List.copyOf(blocks);
    }

    long rows() {
        return blocks.stream().mapToLong(InputBlock::rows).sum();
    }
}
