/// `millrace bench`: how fast the engine is here, beside other engines on the same file.
@NullMarked
package io.millrace.jobs.bench;

import org.jspecify.annotations.NullMarked;
