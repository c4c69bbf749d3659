@NullMarked
package io.millrace.udf;

import org.jspecify.annotations.NullMarked;
