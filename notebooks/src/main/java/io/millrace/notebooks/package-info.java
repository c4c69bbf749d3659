/// A Java kernel for Jupyter, and what the cells of the notebooks call.
@NullMarked
package io.millrace.notebooks;

import org.jspecify.annotations.NullMarked;
