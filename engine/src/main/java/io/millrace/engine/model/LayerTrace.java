package io.millrace.engine.model;

import io.millrace.engine.tensor.Floats;

/// Looks at a forward pass from inside, so that a comparison names the first wrong layer. The floats are the
/// pass's own and good only during the call.
interface LayerTrace {
    LayerTrace NONE = new LayerTrace() {};

    /// @param output of the attention half [rows, D]
    default void attention(int layer, Floats output) {}

    /// @param output of the expert half [rows, D]
    default void experts(int layer, Floats output) {}

    /// @param streams after the layer [rows, n, D]
    default void layer(int layer, Floats streams) {}

    /// @param collapsed before the final norm [rows, D]
    default void head(Floats collapsed) {}
}
