/// Summaries of documents that are longer than a prompt: cutting them, summarising in rounds, saying where
/// each sentence comes from, and how good the summaries are.
@NullMarked
package io.millrace.jobs.summarize;

import org.jspecify.annotations.NullMarked;
