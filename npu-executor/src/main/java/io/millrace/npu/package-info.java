/// Ascend cards: what is known of them on this machine.
@NullMarked
package io.millrace.npu;

import org.jspecify.annotations.NullMarked;
