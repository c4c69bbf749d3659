/// The vocabulary of maths and its rings: the scalar reference and the Vector API.
@NullMarked
package io.millrace.engine.kernel;

import org.jspecify.annotations.NullMarked;
