/// What a sequence remembers: window rows, compressed rows, pending compressor state; bytes accounted.
@NullMarked
package io.millrace.engine.cache;

import org.jspecify.annotations.NullMarked;
