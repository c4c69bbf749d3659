/// Memory with a shape: stored weight matrices, float buffers, and the bit formats they are stored in.
@NullMarked
package io.millrace.engine.tensor;

import org.jspecify.annotations.NullMarked;
