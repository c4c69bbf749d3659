/// Doors to the engine for a person or a tool: what a model is, what it says, what its tokenizer does. The
/// only package of this module, beside `bench` and `serve`, that calls the engine.
@NullMarked
package io.millrace.jobs.inspect;

import org.jspecify.annotations.NullMarked;
