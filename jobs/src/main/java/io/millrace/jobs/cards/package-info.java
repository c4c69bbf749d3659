/// Where Spark meets cards: which there are, which executor holds which, which stage needs any.
@NullMarked
package io.millrace.jobs.cards;

import org.jspecify.annotations.NullMarked;
