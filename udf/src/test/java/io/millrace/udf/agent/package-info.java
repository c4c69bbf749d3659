@NullMarked
package io.millrace.udf.agent;

import org.jspecify.annotations.NullMarked;
