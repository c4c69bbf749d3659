package io.millrace.engine.decode;

/// Random numbers that depend on (seed, position) alone, so that a row's stream is the same in any batch and
/// after any retry: SplitMix64's finaliser over both (Steele, Lea, Flood 2014).
final class CounterRandom {
    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

    private CounterRandom() {}

    /// Uniform in [0, 1), 53 random bits.
    static double uniform(long seed, int position) {
        long bits = mix(mix(seed + GOLDEN_GAMMA) + GOLDEN_GAMMA * (position + 1L));
        return (bits >>> 11) * 0x1p-53;
    }

    private static long mix(long z) {
        long a = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        long b = (a ^ (a >>> 27)) * 0x94D049BB133111EBL;
        return b ^ (b >>> 31);
    }
}
