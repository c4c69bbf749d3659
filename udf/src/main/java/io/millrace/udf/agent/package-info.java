/// Conversations with tools: a row is a rollout of many steps in a directory of its own, each step
/// durable in a log before the next, so that one that was stopped goes on without doing anything twice.
@NullMarked
package io.millrace.udf.agent;

import org.jspecify.annotations.NullMarked;
