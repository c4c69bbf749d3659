package io.millrace.engine.kernel;

import static io.millrace.engine.kernel.VectorConstants.FLOATS;
import static io.millrace.engine.kernel.VectorConstants.LANES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShuffle;

/// Sums along a row in one order, whatever the vector's width: element i goes to chain i mod 64, and the
/// chains are added up by halves. Confined to one worker.
///
/// The library's own sums across lanes are not used: their order is not specified.
final class LaneSums {
    private static final int CHAINS = 64;
    // four accumulators hide the latency of the multiply-add; narrow vectors take several strips
    private static final int STRIP = 4 * LANES;
    // floats summed in one go: the rest of a long sum is added in double precision
    private static final int RUN = 4096;

    private static final VectorShuffle<Float> EIGHT_ON = VectorShuffle.iota(FLOATS, 8, 1, true);
    private static final VectorShuffle<Float> FOUR_ON = VectorShuffle.iota(FLOATS, 4, 1, true);
    private static final VectorShuffle<Float> TWO_ON = VectorShuffle.iota(FLOATS, 2, 1, true);

    private final float[] chains = new float[CHAINS];

    /// `Σ x²` over `count` floats.
    float squares(float[] x, int at, int count) {
        int whole = count / CHAINS * CHAINS;
        for (int strip = 0; strip < CHAINS; strip += STRIP) {
            squareStrip(x, at + strip, at + whole, strip);
        }
        for (int i = whole; i < count; i++) {
            chains[i - whole] = Math.fma(x[at + i], x[at + i], chains[i - whole]);
        }
        return fold(chains, CHAINS);
    }

    private void squareStrip(float[] x, int from, int to, int strip) {
        FloatVector a = FloatVector.zero(FLOATS), b = a, c = a, d = a;
        for (int i = from; i < to; i += CHAINS) {
            FloatVector p = FloatVector.fromArray(FLOATS, x, i);
            FloatVector q = FloatVector.fromArray(FLOATS, x, i + LANES);
            FloatVector r = FloatVector.fromArray(FLOATS, x, i + 2 * LANES);
            FloatVector s = FloatVector.fromArray(FLOATS, x, i + 3 * LANES);
            a = p.fma(p, a);
            b = q.fma(q, b);
            c = r.fma(r, c);
            d = s.fma(s, d);
        }
        store(a, b, c, d, strip);
    }

    /// `Σ e^(x - max)` over `count` floats, none larger than max.
    double exponentials(float[] x, int at, int count, float max) {
        double sum = 0;
        for (int from = 0; from < count; from += RUN) {
            sum += exponentialRun(x, at + from, Math.min(RUN, count - from), max);
        }
        return sum;
    }

    private float exponentialRun(float[] x, int at, int count, float max) {
        int whole = count / CHAINS * CHAINS;
        for (int chain = 0; chain < CHAINS; chain += LANES) {
            exponentialChains(x, at + chain, at + whole, max, chain);
        }
        for (int i = whole; i < count; i += LANES) {
            int chain = i - whole;
            var mask = FLOATS.indexInRange(i, count);
            FloatVector power = VectorMath.exp(
                    FloatVector.fromArray(FLOATS, x, at + i, mask).sub(max));
            FloatVector.fromArray(FLOATS, chains, chain).add(power, mask).intoArray(chains, chain);
        }
        return fold(chains, CHAINS);
    }

    // one vector a turn: several exponentials in one body are more than the compiler inlines
    private void exponentialChains(float[] x, int from, int to, float max, int chain) {
        FloatVector sum = FloatVector.zero(FLOATS);
        for (int i = from; i < to; i += CHAINS) {
            sum = sum.add(VectorMath.exp(FloatVector.fromArray(FLOATS, x, i).sub(max)));
        }
        sum.intoArray(chains, chain);
    }

    private void store(FloatVector a, FloatVector b, FloatVector c, FloatVector d, int strip) {
        a.intoArray(chains, strip);
        b.intoArray(chains, strip + LANES);
        c.intoArray(chains, strip + 2 * LANES);
        d.intoArray(chains, strip + 3 * LANES);
    }

    /// The largest of `count` floats; exact in any order.
    float max(float[] x, int at, int count) {
        FloatVector largest = FloatVector.broadcast(FLOATS, Float.NEGATIVE_INFINITY);
        int bound = FLOATS.loopBound(count);
        for (int i = at; i < at + bound; i += LANES) {
            largest = largest.max(FloatVector.fromArray(FLOATS, x, i));
        }
        largest.intoArray(chains, 0);
        float max = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < LANES; i++) {
            max = Math.max(max, chains[i]);
        }
        for (int i = at + bound; i < at + count; i++) {
            max = Math.max(max, x[i]);
        }
        return max;
    }

    /// The sum of `count` chains, a power of two of them, by halves; the chains are overwritten.
    static float fold(float[] chains, int count) {
        for (int half = count / 2; half >= 1; half /= 2) {
            for (int i = 0; i < half; i++) {
                chains[i] += chains[i + half];
            }
        }
        return chains[0];
    }

    /// The sum of a vector's lanes, by halves.
    static float fold(FloatVector lanes) {
        FloatVector sum = lanes;
        if (LANES > 8) {
            sum = sum.add(sum.rearrange(EIGHT_ON));
        }
        if (LANES > 4) {
            sum = sum.add(sum.rearrange(FOUR_ON));
        }
        sum = sum.add(sum.rearrange(TWO_ON));
        return sum.lane(0) + sum.lane(1);
    }
}
