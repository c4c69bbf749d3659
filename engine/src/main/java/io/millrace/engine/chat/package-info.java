/// Conversations to the prompt format a model was trained with, and its completions back to messages.
@NullMarked
package io.millrace.engine.chat;

import org.jspecify.annotations.NullMarked;
