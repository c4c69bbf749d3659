/// `millrace serve`: the engine behind an HTTP interface of OpenAI's shape, for tests and for tools that know
/// no other.
@NullMarked
package io.millrace.jobs.serve;

import org.jspecify.annotations.NullMarked;
