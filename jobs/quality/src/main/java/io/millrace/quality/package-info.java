/// The auditor: judges committed Parquet by rules in a file, in a JVM that shares no class path with its
/// writer.
@NullMarked
package io.millrace.quality;

import org.jspecify.annotations.NullMarked;
