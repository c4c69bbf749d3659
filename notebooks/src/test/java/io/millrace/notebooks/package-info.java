@NullMarked
package io.millrace.notebooks;

import org.jspecify.annotations.NullMarked;
