@NullMarked
package io.millrace.jobs.langchain;

import org.jspecify.annotations.NullMarked;
