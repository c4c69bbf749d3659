/// Shards: the unit that is read, computed, committed and done again. A shard is a range of input rows; its
/// output is one file whose name follows from what it is.
@NullMarked
package io.millrace.udf.shard;

import org.jspecify.annotations.NullMarked;
