package io.millrace.engine.api;

/// What an answer has to be: one JSON value.
///
/// @param jsonSchema JSON Schema of the value
/// @param afterReasoning whether the value begins only behind the token that ends the reasoning
public record OutputForm(String jsonSchema, boolean afterReasoning) {}
