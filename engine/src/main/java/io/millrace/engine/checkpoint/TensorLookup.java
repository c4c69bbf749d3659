package io.millrace.engine.checkpoint;

import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.Matrix;
import java.util.List;

/// Tensors by the names of their file. Presence, shape and element type are checked here; a fault is either
/// thrown at once or written down by whoever implements this, who then answers with an empty stand-in and
/// throws before it can get out.
public interface TensorLookup {
    boolean has(String name);

    /// A weight matrix as it lies in the file.
    Matrix matrix(String name, long rows, long cols);

    /// As many matrices [rows, cols], stored as one tensor [parts, rows, cols].
    List<Matrix> matrices(String name, int parts, long rows, long cols);

    /// A small tensor, decoded.
    ///
    /// @param shape outermost first
    Floats floats(String name, long... shape);
}
