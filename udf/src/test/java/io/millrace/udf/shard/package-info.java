@NullMarked
package io.millrace.udf.shard;

import org.jspecify.annotations.NullMarked;
