package io.millrace.udf.shard;

import java.io.Serializable;

/// A block of a file, see {@link RecordFormat}.
///
/// @param index which block of the file, from 0: `input_ref.row_group`
/// @param start its first byte
/// @param bytes its length
/// @param rows rows in it
public record InputBlock(int index, long start, long bytes, long rows) implements Serializable {}
