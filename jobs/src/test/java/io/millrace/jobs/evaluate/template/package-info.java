@NullMarked
package io.millrace.jobs.evaluate.template;

import org.jspecify.annotations.NullMarked;
