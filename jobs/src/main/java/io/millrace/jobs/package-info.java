/// Spark driver side: commands, configuration, reading, writing, the gate. Standard streams are used by
/// command classes only.
@NullMarked
package io.millrace.jobs;

import org.jspecify.annotations.NullMarked;
