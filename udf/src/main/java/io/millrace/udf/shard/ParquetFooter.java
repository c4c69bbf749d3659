package io.millrace.udf.shard;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.HadoopReadOptions;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.hadoop.util.HadoopInputFile;

/// What the footer of a Parquet file says, held against the file.
///
/// @param names columns that hold one value each, or JSON
/// @param blocks row groups with rows
public record ParquetFooter(List<String> names, List<InputBlock> blocks) {

    /// @param jsonColumns columns that may hold nested values
    /// @throws IOException if it cannot be read, or is no Parquet
    public static ParquetFooter read(InputFile file, Set<String> jsonColumns, Configuration conf) throws IOException {
        try (ParquetFileReader reader = open(file, conf)) {
            List<InputBlock> blocks = new ArrayList<>();
            List<BlockMetaData> rowGroups = reader.getRowGroups();
            for (int index = 0; index < rowGroups.size(); index++) {
                BlockMetaData rowGroup = rowGroups.get(index);
                if (rowGroup.getRowCount() > 0) {
                    blocks.add(new InputBlock(
                            index, rowGroup.getStartingPos(), rowGroup.getCompressedSize(), rowGroup.getRowCount()));
                }
            }
            return new ParquetFooter(
                    RecordNames.of(reader.getFileMetaData().getSchema(), jsonColumns), List.copyOf(blocks));
        }
    }

    /// Opens a file whose footer is one.
    static ParquetFileReader open(InputFile file, Configuration conf) throws IOException {
        Path path = new Path(file.name());
        ParquetReadOptions options = HadoopReadOptions.builder(conf, path)
                // writers put a checksum on every page; a damaged text would else be answered like any other
                .usePageChecksumVerification(true)
                .build();
        ParquetFileReader reader = null;
        try {
            reader = ParquetFileReader.open(HadoopInputFile.fromPath(path, conf), options);
            check(reader.getRowGroups(), file.bytes());
            return reader;
        } catch (IOException | RuntimeException e) {
            if (reader != null) {
                reader.close();
            }
            // the library throws whatever comes to it
            throw e instanceof IOException known ? known : new IOException("a damaged footer: " + e, e);
        }
    }

    private static void check(List<BlockMetaData> rowGroups, long fileBytes) throws IOException {
        for (int index = 0; index < rowGroups.size(); index++) {
            BlockMetaData rowGroup = rowGroups.get(index);
            if (rowGroup.getRowCount() < 0) {
                throw new IOException("row group " + index + " of " + rowGroup.getRowCount() + " rows");
            }
            for (ColumnChunkMetaData column : rowGroup.getColumns()) {
                long start = column.getStartingPos();
                long bytes = column.getTotalSize();
                if (start < 0 || bytes < 0 || bytes > fileBytes - start) {
                    throw new IOException("row group " + index + ", column " + column.getPath() + " of " + bytes
                            + " bytes at " + start + " in a file of " + fileBytes);
                }
            }
        }
    }
}
