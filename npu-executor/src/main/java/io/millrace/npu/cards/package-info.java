/// Ascend cards of one host: which there are, which of them can be used, which hang together by fast links,
/// and which process holds which.
@NullMarked
package io.millrace.npu.cards;

import org.jspecify.annotations.NullMarked;
