/// LangChain4j's batches of chat requests, computed by `millrace batch`.
@NullMarked
package io.millrace.jobs.langchain;

import org.jspecify.annotations.NullMarked;
