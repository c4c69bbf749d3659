/// `millrace export`: a run's rows in the formats of other tools.
@NullMarked
package io.millrace.jobs.export;

import org.jspecify.annotations.NullMarked;
