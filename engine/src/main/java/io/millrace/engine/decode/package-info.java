/// The running batch: admission, steps, sampling, results.
@NullMarked
package io.millrace.engine.decode;

import org.jspecify.annotations.NullMarked;
