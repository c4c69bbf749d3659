package io.millrace.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.millrace.engine.GoldenTensors;
import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.cache.SequenceCache;
import io.millrace.engine.checkpoint.Checkpoint;
import io.millrace.engine.checkpoint.WeightBinder;
import io.millrace.engine.kernel.KernelProvider;
import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.tensor.Floats;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Whole models against the logits of independent implementations: Hugging Face's and a float64 one for the
/// fp32 checkpoint, a float64 one for the checkpoint in the release format (vectors/README.md). Tolerances:
/// 5e-5 for the fp32 checkpoint, 1e-4 for the other, as measured between those implementations.
///
/// One exception, for the float ring with rounded caches: some cached values of this checkpoint lie within
/// float noise (1e-6 relative) of the edge between two FP8 codes, and the code that falls the other way
/// moves the logits of the positions that see it by up to 1e-2. There most positions must keep the tolerance
/// and none leave 2e-2; the reference ring, in double precision, keeps it everywhere, so the formulas are
/// not in doubt.
class DeepSeekV4GoldenTest {
    private static final long SEED = Long.getLong("millrace.seed", 20261122L);

    /// An open model folder.
    private record Opened(Checkpoint checkpoint, Kernels kernels, DeepSeekV4 model) implements AutoCloseable {
        static Opened of(String folder, String ring, CacheRounding rounding) {
            Checkpoint checkpoint = Checkpoint.open(GoldenTensors.folder(folder));
            Kernels kernels = KernelProvider.open(ring, 2);
            ModelConfig config = checkpoint.config();
            return new Opened(
                    checkpoint,
                    kernels,
                    new DeepSeekV4(kernels, config, WeightBinder.bind(checkpoint, config), rounding));
        }

        @Override
        public void close() {
            kernels.close();
            checkpoint.close();
        }
    }

    /// Cuts `total` tokens into chunks.
    private static int[] chunks(String how, int total) {
        return switch (how) {
            case "prefill" -> new int[] {total};
            case "steps" -> IntStream.generate(() -> 1).limit(total).toArray();
            case "random" -> {
                Random random = new Random(SEED);
                List<Integer> sizes = new ArrayList<>();
                for (int left = total; left > 0; left -= sizes.getLast()) {
                    sizes.add(Math.min(left, 1 + random.nextInt(40)));
                }
                yield sizes.stream().mapToInt(Integer::intValue).toArray();
            }
            default -> throw new IllegalArgumentException(how);
        };
    }

    private static float[] logits(DeepSeekV4 model, int[] tokens, int[] chunks) {
        int vocab = model.config().vocabSize();
        float[] all = new float[tokens.length * vocab];
        SequenceCache cache = model.newCache();
        int at = 0;
        for (int chunk : chunks) {
            Step step = new Step();
            step.add(cache, tokens, at, chunk);
            Floats logits =
                    model.logits(model.forward(step), IntStream.range(0, chunk).toArray());
            float[] part = new float[chunk * vocab];
            model.read(logits, 0, part, part.length);
            System.arraycopy(part, 0, all, at * vocab, part.length);
            at += chunk;
        }
        return all;
    }

    /// Either all within tolerance or, where float noise may flip codes, the most by far.
    private static void assertLogits(float[] got, double[] expected, int vocab, String ring, CacheRounding rounding) {
        double[] differences = new double[got.length / vocab];
        for (int r = 0; r < differences.length; r++) {
            differences[r] = largestDifference(
                    Arrays.copyOfRange(got, r * vocab, (r + 1) * vocab),
                    Arrays.copyOfRange(expected, r * vocab, (r + 1) * vocab));
        }
        Arrays.sort(differences);
        double largest = differences[differences.length - 1];
        double median = differences[differences.length / 2];
        System.getLogger("golden")
                .log(
                        System.Logger.Level.INFO,
                        "tiny-official-quant {0} {1}: largest {2}, median {3}",
                        ring,
                        rounding,
                        String.valueOf(largest),
                        String.valueOf(median));
        boolean mayFlip = ring.equals("vector") && rounding == CacheRounding.ON;
        assertThat(largest).isLessThan(mayFlip ? 2e-2 : 1e-4);
        assertThat(median).isLessThan(1e-4);
    }

    private static double largestDifference(float[] got, double[] expected) {
        double largest = 0;
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs(got[i] - expected[i]));
        }
        return largest;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "reference prefill",
                "reference steps",
                "reference random",
                "vector prefill",
                "vector steps",
                "vector random"
            })
    void logits_ofTheFp32Checkpoint(String how) {
        GoldenTensors golden =
                GoldenTensors.read(GoldenTensors.folder("tiny-fp32").resolve("expected.safetensors"));
        int[] tokens = golden.ints("input_ids");
        try (Opened opened = Opened.of("tiny-fp32", how.split(" ")[0], CacheRounding.AUTO)) {
            float[] got = logits(opened.model(), tokens, chunks(how.split(" ")[1], tokens.length));
            double fp64 = largestDifference(got, golden.doubles("logits_fp64"));
            double fp32 = largestDifference(got, golden.doubles("logits"));
            System.getLogger("golden")
                    .log(
                            System.Logger.Level.INFO,
                            "tiny-fp32 {0}: {1} from fp64, {2} from fp32",
                            how,
                            String.valueOf(fp64),
                            String.valueOf(fp32));
            assertThat(fp64).isLessThan(5e-5);
            assertThat(fp32).isLessThan(5e-5);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"reference", "vector"})
    void everyLayer_ofTheFp32Checkpoint(String ring) {
        GoldenTensors golden =
                GoldenTensors.read(GoldenTensors.folder("tiny-fp32").resolve("expected.safetensors"));
        int[] positions = golden.ints("positions");
        try (Opened opened = Opened.of("tiny-fp32", ring, CacheRounding.AUTO)) {
            DeepSeekV4 model = opened.model();
            int dim = model.config().hiddenSize();
            int n = model.config().hyperConnections().hcMult();
            LayerTrace compare = new LayerTrace() {
                @Override
                public void attention(int layer, Floats output) {
                    check("layers." + layer + ".attn_out", output, dim);
                }

                @Override
                public void experts(int layer, Floats output) {
                    check("layers." + layer + ".ffn_out", output, dim);
                }

                @Override
                public void layer(int layer, Floats streams) {
                    check("layers." + layer + ".out", streams, n * dim);
                }

                @Override
                public void head(Floats collapsed) {
                    check("hc_head_out", collapsed, dim);
                }

                private void check(String name, Floats got, int width) {
                    double[] expected = golden.doubles(name);
                    float[] row = new float[width];
                    for (int i = 0; i < positions.length; i++) {
                        model.read(got, positions[i] * width, row, width);
                        double[] wanted = Arrays.copyOfRange(expected, i * width, (i + 1) * width);
                        assertThat(largestDifference(row, wanted))
                                .as("%s at position %d", name, positions[i])
                                .isLessThan(5e-5);
                    }
                }
            };
            int[] tokens = golden.ints("input_ids");
            Step step = new Step();
            step.add(model.newCache(), tokens, 0, tokens.length);
            Floats streams = model.forward(step, compare);
            model.logits(streams, IntStream.range(0, tokens.length).toArray(), compare);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "reference OFF prefill",
                "reference ON prefill",
                "vector OFF prefill",
                "vector ON prefill",
                "vector ON steps",
                "vector ON random",
                "vector OFF random"
            })
    void logits_ofTheReleaseFormat(String how) {
        String[] words = how.split(" ");
        CacheRounding rounding = CacheRounding.valueOf(words[1]);
        GoldenTensors golden =
                GoldenTensors.read(GoldenTensors.folder("tiny-official-quant").resolve("expected.safetensors"));
        int[] tokens = golden.ints("input_ids");
        try (Opened opened = Opened.of("tiny-official-quant", words[0], rounding)) {
            float[] got = logits(opened.model(), tokens, chunks(words[2], tokens.length));
            String name = rounding == CacheRounding.ON ? "logits_kvqat_fp64" : "logits_plain_fp64";
            assertLogits(got, golden.doubles(name), opened.model().config().vocabSize(), words[0], rounding);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"reference OFF", "reference ON", "vector OFF", "vector ON"})
    void mtpLogits_ofTheReleaseFormat(String how) {
        CacheRounding rounding = CacheRounding.valueOf(how.split(" ")[1]);
        GoldenTensors golden =
                GoldenTensors.read(GoldenTensors.folder("tiny-official-quant").resolve("expected.safetensors"));
        int[] tokens = golden.ints("input_ids");
        try (Opened opened = Opened.of("tiny-official-quant", how.split(" ")[0], rounding)) {
            DeepSeekV4 model = opened.model();
            SequenceCache cache = model.newCache();
            Drafter drafter = Objects.requireNonNull(model.drafter());
            SequenceCache mtpCache = drafter.newCache();
            int vocab = model.config().vocabSize();
            float[] got = new float[(tokens.length - 1) * vocab];
            for (int from = 0; from < tokens.length - 1; from += 50) {
                int count = Math.min(50, tokens.length - 1 - from);
                Step step = new Step();
                step.add(cache, tokens, from, count);
                Floats streams = model.forward(step);
                Step next = new Step();
                next.add(mtpCache, tokens, from + 1, count);
                int[] rows = IntStream.range(0, count).toArray();
                float[] part = new float[count * vocab];
                model.read(drafter.logits(streams, rows, next, rows), 0, part, part.length);
                System.arraycopy(part, 0, got, from * vocab, part.length);
            }
            String name = rounding == CacheRounding.ON ? "mtp_logits_kvqat_fp64" : "mtp_logits_plain_fp64";
            assertLogits(got, golden.doubles(name), vocab, how.split(" ")[0], rounding);
        }
    }

    @Test
    void forward_aSequencesBitsDoNotDependOnItsCompanions() {
        GoldenTensors golden =
                GoldenTensors.read(GoldenTensors.folder("tiny-fp32").resolve("expected.safetensors"));
        int[] tokens = golden.ints("input_ids");
        try (Opened opened = Opened.of("tiny-fp32", "vector", CacheRounding.AUTO)) {
            DeepSeekV4 model = opened.model();
            float[] alone = logits(model, tokens, chunks("prefill", tokens.length));
            int vocab = model.config().vocabSize();
            int sequences = 9;
            int[] at = new int[sequences];
            SequenceCache[] caches = new SequenceCache[sequences];
            Arrays.setAll(caches, s -> model.newCache());
            Random random = new Random(SEED);
            float[] row = new float[vocab];
            while (Arrays.stream(at).anyMatch(position -> position < tokens.length)) {
                Step step = new Step();
                List<int[]> rows = new ArrayList<>();
                for (int s = 0; s < sequences; s++) {
                    int count = Math.min(random.nextInt(30), tokens.length - at[s]);
                    if (count > 0) {
                        int first = step.add(caches[s], tokens, at[s], count).firstRow();
                        rows.add(new int[] {first + count - 1, at[s] + count - 1});
                        at[s] += count;
                    }
                }
                if (step.rows() == 0) {
                    continue;
                }
                Floats logits = model.logits(
                        model.forward(step), rows.stream().mapToInt(r -> r[0]).toArray());
                for (int i = 0; i < rows.size(); i++) {
                    model.read(logits, i * vocab, row, vocab);
                    int position = rows.get(i)[1];
                    assertThat(row)
                            .as("position %d, seed %d", position, SEED)
                            .containsExactly(Arrays.copyOfRange(alone, position * vocab, (position + 1) * vocab));
                }
            }
        }
    }

    @Test
    void rotaryEmbedding_publishedFrequencies() {
        ModelConfig.Yarn yarn = new ModelConfig.Yarn(16, 32, 1, 65536);
        double[] main = RotaryEmbedding.of(64, 10000, ModelConfig.Yarn.NONE).frequencies();
        double[] compressed = RotaryEmbedding.of(64, 160000, yarn).frequencies();
        float[] mainGolden = io.millrace.engine.MicroVectors.floats("rope_inv_freq", "main_theta1e4");
        float[] compressedGolden = io.millrace.engine.MicroVectors.floats(
                "rope_inv_freq", "compress_theta1.6e5_yarn16_orig65536_low15_high25");
        for (int i = 0; i < 32; i++) {
            assertThat(main[i]).isCloseTo(mainGolden[i], within(mainGolden[i] * 1e-6));
            assertThat(compressed[i]).isCloseTo(compressedGolden[i], within(compressedGolden[i] * 1e-6));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 127, 65536, 1048575})
    void rotate_goldenPositions(int position) {
        float[] x = io.millrace.engine.MicroVectors.floats("rope_apply", "x");
        try (Kernels kernels = KernelProvider.open("reference", 1)) {
            for (String kind : new String[] {"main", "compress"}) {
                RotaryEmbedding rotary = kind.equals("main")
                        ? RotaryEmbedding.of(64, 10000, ModelConfig.Yarn.NONE)
                        : RotaryEmbedding.of(64, 160000, new ModelConfig.Yarn(16, 32, 1, 65536));
                Floats angles = kernels.allocate(64);
                rotary.angles(kernels, new int[] {position}, 1, angles);
                Floats rotated = kernels.upload(x);
                kernels.rotate(rotated, 1, 1, 64, angles, 32, Kernels.Rotation.FORWARD);
                float[] got = new float[64];
                kernels.read(rotated, 0, got, 0, 64);
                float[] expected = io.millrace.engine.MicroVectors.floats("rope_apply", kind + "_pos" + position);
                for (int i = 0; i < 64; i++) {
                    assertThat((double) got[i]).as("%s %d", kind, i).isCloseTo(expected[i], within(1e-6));
                }
            }
        }
    }
}
