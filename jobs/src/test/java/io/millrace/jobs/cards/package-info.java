@NullMarked
package io.millrace.jobs.cards;

import org.jspecify.annotations.NullMarked;
