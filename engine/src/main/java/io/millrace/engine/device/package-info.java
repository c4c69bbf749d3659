/// Where the maths runs, and why not elsewhere.
@NullMarked
package io.millrace.engine.device;

import org.jspecify.annotations.NullMarked;
