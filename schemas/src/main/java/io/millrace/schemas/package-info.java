/// The words on disk: names and types of columns, and the files two processes exchange. Imports the JDK only.
@NullMarked
package io.millrace.schemas;

import org.jspecify.annotations.NullMarked;
