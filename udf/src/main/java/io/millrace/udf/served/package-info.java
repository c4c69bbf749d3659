/// The device kind `served`: a server that speaks OpenAI's protocol computes, started by the executor or given
/// to it. Rows, ledger and gate are those of every other kind.
@NullMarked
package io.millrace.udf.served;

import org.jspecify.annotations.NullMarked;
