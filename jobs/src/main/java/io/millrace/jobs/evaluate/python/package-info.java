/// What task files expect of Python: its spelling of values, its regular expressions, its random numbers.
///
/// Values are `null`, {@link Boolean}, {@link Long}, {@link Double}, {@link String}, {@link
/// java.util.List} and {@link java.util.Map} with an order, which stand for Python's `None`, `bool`,
/// `int`, `float`, `str`, `list` and `dict`.
@NullMarked
package io.millrace.jobs.evaluate.python;

import org.jspecify.annotations.NullMarked;
