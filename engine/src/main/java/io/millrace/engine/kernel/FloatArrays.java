package io.millrace.engine.kernel;

/// Arrays that an operation keeps for the next one.
final class FloatArrays {
    private FloatArrays() {}

    /// The array held, or a new one if it is too small; what it holds is lost then.
    static float[] grown(float[] held, int size) {
        return held.length >= size ? held : new float[Math.max(size, 2 * held.length)];
    }
}
