package io.millrace.engine.tensor;

/// The three matrices of a gated feed-forward unit: `down(silu(gate x) * up x)`. D model size, I inner size.
///
/// @param gate w1 [I, D]
/// @param up w3 [I, D]
/// @param down w2 [D, I]
public record Swiglu(Matrix gate, Matrix up, Matrix down) {}
