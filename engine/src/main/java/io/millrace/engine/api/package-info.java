/// What a caller of the engine sees: requests, results, settings, errors. Imports no other package of the
/// engine.
@NullMarked
package io.millrace.engine.api;

import org.jspecify.annotations.NullMarked;
