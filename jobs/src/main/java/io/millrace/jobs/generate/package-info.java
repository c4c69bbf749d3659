/// Data sets made by models: a pipeline of restartable steps from seeds to a folder that the Hub reads.
@NullMarked
package io.millrace.jobs.generate;

import org.jspecify.annotations.NullMarked;
