package io.millrace.jobs.evaluate.python;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// `random.Random(seed)` of CPython: the Mersenne Twister MT19937 of Matsumoto and Nishimura (1998),
/// seeded by key, and the ways in which `sample` and `choices` draw from it. Bit for bit, so that
/// examples drawn here are those that the harness draws.
public final class PythonRandom {
    private static final int N = 624;
    private static final int M = 397;

    private final int[] state = new int[N];
    private int index = N;

    /// @param seed its absolute value is the key, as there
    public PythonRandom(long seed) {
        long key = Math.abs(seed);
        int low = (int) key;
        int high = (int) (key >>> 32);
        seedByKey(high == 0 ? new int[] {low} : new int[] {low, high});
    }

    private void seed(int value) {
        state[0] = value;
        for (int i = 1; i < N; i++) {
            state[i] = 1812433253 * (state[i - 1] ^ (state[i - 1] >>> 30)) + i;
        }
    }

    private void seedByKey(int[] key) {
        seed(19650218);
        int i = 1;
        int j = 0;
        for (int k = Math.max(N, key.length); k > 0; k--) {
            state[i] = (state[i] ^ ((state[i - 1] ^ (state[i - 1] >>> 30)) * 1664525)) + key[j] + j;
            i = next(i);
            j = (j + 1) % key.length;
        }
        for (int k = N - 1; k > 0; k--) {
            state[i] = (state[i] ^ ((state[i - 1] ^ (state[i - 1] >>> 30)) * 1566083941)) - i;
            i = next(i);
        }
        state[0] = 0x80000000;
    }

    private int next(int i) {
        if (i + 1 < N) {
            return i + 1;
        }
        state[0] = state[N - 1];
        return 1;
    }

    private void refill() {
        for (int i = 0; i < N; i++) {
            int y = (state[i] & 0x80000000) | (state[(i + 1) % N] & 0x7fffffff);
            state[i] = state[(i + M) % N] ^ (y >>> 1) ^ ((y & 1) == 0 ? 0 : 0x9908b0df);
        }
        index = 0;
    }

    private int nextInt() {
        if (index == N) {
            refill();
        }
        int y = state[index++];
        y ^= y >>> 11;
        y ^= (y << 7) & 0x9d2c5680;
        y ^= (y << 15) & 0xefc60000;
        return y ^ (y >>> 18);
    }

    /// `random()`: in [0, 1), of 53 bits.
    public double nextDouble() {
        int high = nextInt() >>> 5;
        int low = nextInt() >>> 6;
        return (high * 67108864.0 + low) / 9007199254740992.0;
    }

    /// `randrange(bound)`.
    ///
    /// @param bound >= 1
    private int below(int bound) {
        int bits = Integer.SIZE - Integer.numberOfLeadingZeros(bound);
        int drawn;
        do {
            drawn = nextInt() >>> (Integer.SIZE - bits);
        } while (drawn >= bound);
        return drawn;
    }

    /// `sample(range(population), count)`.
    ///
    /// @throws IllegalArgumentException if there are not so many
    public List<Integer> sample(int population, int count) {
        if (count < 0 || count > population) {
            throw new IllegalArgumentException("sample: expected 0 to " + population + " of them, got " + count);
        }
        // as there, a list where that takes less memory than a set would
        int setSize = 21;
        if (count > 5) {
            setSize += (int) Math.pow(4, Math.ceil(Math.log(count * 3.0) / Math.log(4)));
        }
        return population <= setSize ? sampleOfList(population, count) : sampleOfSet(population, count);
    }

    private List<Integer> sampleOfList(int population, int count) {
        List<Integer> pool = new ArrayList<>();
        for (int i = 0; i < population; i++) {
            pool.add(i);
        }
        List<Integer> sample = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int j = below(population - i);
            sample.add(pool.get(j));
            pool.set(j, pool.get(population - i - 1));
        }
        return sample;
    }

    private List<Integer> sampleOfSet(int population, int count) {
        Set<Integer> seen = new HashSet<>();
        List<Integer> sample = new ArrayList<>();
        while (sample.size() < count) {
            int j = below(population);
            if (seen.add(j)) {
                sample.add(j);
            }
        }
        return sample;
    }

    /// One draw of `choices(range(population))`.
    public int choice(int population) {
        return (int) (nextDouble() * population);
    }
}
