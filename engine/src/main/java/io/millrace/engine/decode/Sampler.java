package io.millrace.engine.decode;

import io.millrace.engine.api.SamplingParams;
import java.util.Arrays;

/// Chooses a token from logits. The same logits, parameters and position give the same token.
final class Sampler {
    private Sampler() {}

    /// @param logits of the whole vocabulary; not changed
    /// @param position of the token to choose, counted from the first generated one
    static int choose(float[] logits, SamplingParams params, int position) {
        if (params.isGreedy()) {
            return argMax(logits);
        }
        double draw = CounterRandom.uniform(params.seed(), position);
        boolean filtered = params.topK() > 0 || params.topP() < 1 || params.minP() > 0;
        int[] candidates = filtered ? filter(logits, params) : all(logits.length);
        return draw(logits, candidates, params.temperature(), logits[argMax(logits)], draw);
    }

    /// The largest, ties to the lower id.
    static int argMax(float[] logits) {
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            if (logits[i] > logits[best]) {
                best = i;
            }
        }
        return best;
    }

    /// The ids of the largest logits, largest first, ties to the lower id.
    static int[] likeliest(float[] logits, int wanted) {
        int[] ids = new int[Math.min(wanted, logits.length)];
        int count = 0;
        for (int token = 0; token < logits.length; token++) {
            if (count == ids.length && logits[token] <= logits[ids[count - 1]]) {
                continue;
            }
            int place = count < ids.length ? count++ : count - 1;
            for (; place > 0 && logits[token] > logits[ids[place - 1]]; place--) {
                ids[place] = ids[place - 1];
            }
            ids[place] = token;
        }
        return ids;
    }

    private static int[] all(int count) {
        int[] ids = new int[count];
        Arrays.setAll(ids, i -> i);
        return ids;
    }

    /// The ids that min-p, top-k and top-p leave, most likely first, ties to the lower id.
    private static int[] filter(float[] logits, SamplingParams params) {
        int[] ids = descending(logits, floor(logits, params));
        int count = params.topK() > 0 ? Math.min(params.topK(), ids.length) : ids.length;
        return Arrays.copyOf(ids, nucleus(logits, ids, count, params));
    }

    /// Logits below this are less likely than minP times the likeliest.
    private static double floor(float[] logits, SamplingParams params) {
        if (params.minP() == 0) {
            return Double.NEGATIVE_INFINITY;
        }
        return logits[argMax(logits)] + params.temperature() * Math.log(params.minP());
    }

    private static int[] descending(float[] logits, double floor) {
        return java.util.stream.IntStream.range(0, logits.length)
                .filter(i -> logits[i] >= floor)
                .boxed()
                .sorted((a, b) -> logits[a] != logits[b] ? Float.compare(logits[b], logits[a]) : a - b)
                .mapToInt(Integer::intValue)
                .toArray();
    }

    /// How many of the first `count` ids are needed to reach topP of their probability.
    private static int nucleus(float[] logits, int[] ids, int count, SamplingParams params) {
        if (params.topP() >= 1) {
            return count;
        }
        double max = logits[ids[0]];
        double total = 0;
        for (int i = 0; i < count; i++) {
            total += Math.exp((logits[ids[i]] - max) / params.temperature());
        }
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += Math.exp((logits[ids[i]] - max) / params.temperature());
            if (sum >= params.topP() * total) {
                return i + 1;
            }
        }
        return count;
    }

    private static int draw(float[] logits, int[] ids, double temperature, double max, double draw) {
        double total = 0;
        for (int id : ids) {
            total += Math.exp((logits[id] - max) / temperature);
        }
        double target = draw * total;
        double sum = 0;
        int last = ids[0];
        for (int id : ids) {
            double weight = Math.exp((logits[id] - max) / temperature);
            sum += weight;
            if (weight > 0) {
                last = id;
            }
            if (sum > target) {
                return id;
            }
        }
        return last;
    }
}
