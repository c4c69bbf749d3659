@NullMarked
package io.millrace.udf.served;

import org.jspecify.annotations.NullMarked;
