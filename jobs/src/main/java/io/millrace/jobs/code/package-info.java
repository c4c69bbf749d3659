/// `millrace evaluate-code`: has a model write programs, and runs them with their tests in the sandbox.
@NullMarked
package io.millrace.jobs.code;

import org.jspecify.annotations.NullMarked;
