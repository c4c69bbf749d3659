@NullMarked
package io.millrace.udf.sandbox;

import org.jspecify.annotations.NullMarked;
