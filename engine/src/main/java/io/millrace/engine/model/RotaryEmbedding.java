package io.millrace.engine.model;

import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.tensor.Floats;
import java.util.Arrays;

/// Rotary frequencies and the angles of positions (deepseek-v4.md section 2.4).
final class RotaryEmbedding {
    private final double[] frequencies;
    private final double magnitude;

    /// @param magnitude of the rotated pairs, which scales attention's products by its square
    private RotaryEmbedding(double[] frequencies, double magnitude) {
        this.frequencies = frequencies;
        this.magnitude = magnitude;
    }

    /// Of plain attention.
    ///
    /// @param dim rotated floats of a head
    static RotaryEmbedding of(int dim, DecoderConfig.Rope rope) {
        double theta = rope.ropeTheta();
        return switch (rope.scaling()) {
            case RopeScaling.None _ -> of(dim, theta, ModelConfig.Yarn.NONE);
            case RopeScaling.Yarn yarn ->
                new RotaryEmbedding(of(dim, theta, yarn.ramp()).frequencies, yarn.attentionFactor());
            case RopeScaling.Llama3 llama3 -> {
                double[] frequencies = of(dim, theta, ModelConfig.Yarn.NONE).frequencies();
                Arrays.setAll(frequencies, i -> llama3.scaled(frequencies[i]));
                yield new RotaryEmbedding(frequencies, 1);
            }
            case RopeScaling.Divisors divisors -> {
                double[] frequencies = of(dim, theta, ModelConfig.Yarn.NONE).frequencies();
                Arrays.setAll(
                        frequencies, i -> frequencies[i] / divisors.values().get(i));
                yield new RotaryEmbedding(frequencies, 1);
            }
        };
    }

    /// Of sliding layers: no scaling.
    static RotaryEmbedding sliding(ModelConfig config) {
        return of(config.attention().qkRopeHeadDim(), config.rope().ropeTheta(), ModelConfig.Yarn.NONE);
    }

    /// Of CSA and HCA layers: a base of their own and YaRN.
    static RotaryEmbedding compressed(ModelConfig config) {
        return of(
                config.attention().qkRopeHeadDim(),
                config.rope().compressRopeTheta(),
                config.rope().yarn());
    }

    /// @param dim rotated floats of a head
    static RotaryEmbedding of(int dim, double theta, ModelConfig.Yarn yarn) {
        double[] frequencies = new double[dim / 2];
        for (int i = 0; i < frequencies.length; i++) {
            double frequency = Math.pow(theta, -2.0 * i / dim);
            double ramp = yarn.originalMaxPositionEmbeddings() == 0 ? 0 : ramp(i, dim, theta, yarn);
            frequencies[i] = frequency / yarn.factor() * ramp + frequency * (1 - ramp);
        }
        return new RotaryEmbedding(frequencies, 1);
    }

    private static double ramp(int i, int dim, double theta, ModelConfig.Yarn yarn) {
        double low = Math.max(Math.floor(turns(yarn.betaFast(), dim, theta, yarn)), 0);
        double high = Math.min(Math.ceil(turns(yarn.betaSlow(), dim, theta, yarn)), dim - 1);
        if (low == high) {
            high += 0.001;
        }
        return Math.clamp((i - low) / (high - low), 0, 1);
    }

    /// The pair that turns `beta` times over the original context.
    private static double turns(double beta, int dim, double theta, ModelConfig.Yarn yarn) {
        return dim * Math.log(yarn.originalMaxPositionEmbeddings() / (beta * 2 * Math.PI)) / (2 * Math.log(theta));
    }

    double[] frequencies() {
        return frequencies.clone();
    }

    int pairs() {
        return frequencies.length;
    }

    /// Cosines and sines [count, pairs, 2], of exact angles. DeepSeek's script multiplies floats: near a
    /// million positions its fastest pairs are off by up to 0.06 radians, which is noise and not worth
    /// repeating.
    void angles(Kernels kernels, int[] positions, int count, Floats out) {
        double[] angles = new double[count * 2 * pairs()];
        for (int r = 0; r < count; r++) {
            for (int i = 0; i < pairs(); i++) {
                double angle = positions[r] * frequencies[i];
                angles[(r * pairs() + i) * 2] = magnitude * Math.cos(angle);
                angles[(r * pairs() + i) * 2 + 1] = magnitude * Math.sin(angle);
            }
        }
        kernels.copy(kernels.upload(angles), 0, out, 0, angles.length);
    }
}
