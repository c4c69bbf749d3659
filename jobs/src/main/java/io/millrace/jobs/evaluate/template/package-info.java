/// The part of Jinja's language that prompt templates use, with Python's meaning of its values.
@NullMarked
package io.millrace.jobs.evaluate.template;

import org.jspecify.annotations.NullMarked;
