package io.millrace.engine.chat;

/// One call of a tool that the assistant made.
///
/// @param id that the result refers to; empty if it has none
/// @param arguments JSON text of an object; any other text counts as one argument named "arguments"
public record ToolCall(String id, String name, String arguments) {}
