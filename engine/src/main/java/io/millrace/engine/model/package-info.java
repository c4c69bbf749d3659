/// The DeepSeek-V4 forward pass, written to be read beside the paper.
@NullMarked
package io.millrace.engine.model;

import org.jspecify.annotations.NullMarked;
