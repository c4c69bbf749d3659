/// Answers of a given form: JSON Schema as an automaton over bytes, and which tokens it admits. Knows the
/// tokenizer and nothing of models.
@NullMarked
package io.millrace.engine.json;

import org.jspecify.annotations.NullMarked;
