package io.millrace.jobs;

import io.millrace.udf.shard.InputBlock;
import io.millrace.udf.shard.InputFile;
import io.millrace.udf.shard.RecordFormat;
import io.millrace.udf.shard.Shard;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;

/// What is to be worked on: the denominator of the run, fixed when it is planned and kept beside the
/// output. Holds files and their blocks, never rows; shards follow from it by arithmetic.
///
/// @param textColumn column of the texts
/// @param limit rows taken from the start, files in the order of their names; 0 for all
/// @param shardRows most rows of a shard; a block's last shard has what is left
record InputPlan(RecordFormat format, String textColumn, long limit, int shardRows, List<PlannedFile> files) {

    InputPlan {
        files = List.copyOf(files);
    }

    /// Whether this is the plan of these files, read like this.
    boolean isOf(List<InputFile> found, RecordFormat asked, String column, long rowsAsked) {
        return asked == format
                && column.equals(textColumn)
                && rowsAsked == limit
                && found.equals(files.stream().map(PlannedFile::file).toList());
    }

    /// Whether every row of Parquet files was planned, so that anyone can count them.
    boolean isWholeParquet() {
        return format == RecordFormat.PARQUET && limit == 0;
    }

    long rows() {
        return files.stream().mapToLong(PlannedFile::rows).sum();
    }

    /// Input file, as rows name it, to rows taken from it; files without rows are left out.
    SortedMap<String, Long> rowsByFile() {
        SortedMap<String, Long> rows = new TreeMap<>();
        for (PlannedFile file : files) {
            if (file.rows() > 0) {
                rows.put(file.file().name(), file.rows());
            }
        }
        return rows;
    }

    /// Hands on every shard in order, made one at a time.
    void forEachShard(Consumer<Shard> consumer) {
        int number = 0;
        for (PlannedFile file : files) {
            for (InputBlock block : file.blocks()) {
                for (long first = 0; first < block.rows(); first += shardRows) {
                    int rows = (int) Math.min(shardRows, block.rows() - first);
                    consumer.accept(
                            new Shard(number++, file.file(), block.index(), block.start(), block.bytes(), first, rows));
                }
            }
        }
    }
}
