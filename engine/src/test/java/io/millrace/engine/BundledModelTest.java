package io.millrace.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineConfig;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult.Completed;
import io.millrace.engine.api.SamplingParams;
import io.millrace.engine.api.TokenIds;
import io.millrace.engine.chat.ChatMessages;
import io.millrace.engine.chat.ThinkingMode;
import io.millrace.engine.kernel.KernelProvider;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The bundled model against what its trainer's own forward pass, in PyTorch, made of the same released
/// weights.
class BundledModelTest {
    private static final System.Logger LOG = System.getLogger(BundledModelTest.class.getName());
    private static final Path MODEL = Path.of("models/synopsis-v4");

    private static EngineConfig config(CacheRounding rounding) {
        return config("vector", rounding);
    }

    private static EngineConfig config(String ring, CacheRounding rounding) {
        return new EngineConfig(MODEL, ring, 2, 1L << 28, 512, 64, rounding);
    }

    private static JsonNode rows() throws IOException {
        return new ObjectMapper().readTree(MODEL.resolve("reference.json").toFile());
    }

    private static int[] ints(JsonNode node) {
        int[] ids = new int[node.size()];
        Arrays.setAll(ids, i -> node.get(i).asInt());
        return ids;
    }

    @Test
    void logits_lastPositionOfEachPrompt() throws IOException {
        try (LocalEngine engine = LocalEngine.open(config(CacheRounding.OFF))) {
            for (JsonNode row : rows()) {
                int[] prompt = ints(row.get("prompt_ids"));
                float[] logits = engine.logits(prompt)[prompt.length - 1];
                JsonNode expected = row.get("plain").get("last_logits_first16");
                for (int i = 0; i < expected.size(); i++) {
                    assertThat((double) logits[i])
                            .as("%s, token %d", row.get("package").asText(), i)
                            .isCloseTo(expected.get(i).asDouble(), within(2e-4));
                }
            }
        }
    }

    @Test
    void submit_greedyTokensAreTheTrainers() throws IOException {
        try (LocalEngine engine = LocalEngine.open(config(CacheRounding.OFF))) {
            for (JsonNode row : rows()) {
                int[] expected = ints(row.get("plain").get("greedy_ids"));
                SamplingParams greedy = SamplingParams.greedy(64);
                Completed completed = (Completed) engine.submit(new GenerationRequest(
                                row.get("package").asText(), TokenIds.of(ints(row.get("prompt_ids"))), greedy))
                        .join();
                int shared = Math.min(expected.length, completed.tokens().size());
                assertThat(shared).isPositive();
                assertThat(completed.tokens().head(shared).toArray())
                        .as(row.get("package").asText())
                        .containsExactly(Arrays.copyOf(expected, shared));
            }
        }
    }

    /// Levels of the native ring that this machine has; where there are none, one that is skipped with the
    /// reason.
    static List<String> levels() {
        return KernelProvider.levels().isEmpty() ? List.of("none") : KernelProvider.levels();
    }

    /// Rounding activations must not change what the model says: each level of the compiled ring against
    /// the float one.
    @ParameterizedTest
    @MethodSource("levels")
    void logits_ofRoundedActivations_divergeByLessThanAThousandth(String level) throws IOException {
        assumeFalse(level.equals("none"), "no compiled kernels here");
        double sum = 0;
        int positions = 0;
        try (LocalEngine exact = LocalEngine.open(config("vector", CacheRounding.OFF));
                LocalEngine rounded = LocalEngine.open(config("native:" + level, CacheRounding.OFF))) {
            for (JsonNode row : rows()) {
                int[] prompt = ints(row.get("prompt_ids"));
                float[][] expected = exact.logits(prompt);
                float[][] got = rounded.logits(prompt);
                for (int i = 0; i < prompt.length; i++) {
                    sum += divergence(expected[i], got[i]);
                    positions++;
                }
            }
        }
        LOG.log(
                System.Logger.Level.INFO,
                "{0}: mean divergence per token {1}",
                level,
                Double.toString(sum / positions));
        assertThat(sum / positions).isPositive().isLessThan(1e-3);
    }

    /// Kullback-Leibler, in nats, of the softmax of `q` from that of `p`.
    private static double divergence(float[] p, float[] q) {
        double logP = logSumExp(p);
        double logQ = logSumExp(q);
        double sum = 0;
        for (int i = 0; i < p.length; i++) {
            sum += Math.exp(p[i] - logP) * ((p[i] - logP) - (q[i] - logQ));
        }
        return sum;
    }

    private static double logSumExp(float[] logits) {
        double largest = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            largest = Math.max(largest, logit);
        }
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - largest);
        }
        return largest + Math.log(sum);
    }

    @Test
    void encodeChat_promptsAreTheTrainers() throws IOException {
        try (LocalEngine engine = LocalEngine.open(config(CacheRounding.AUTO))) {
            for (JsonNode row : rows()) {
                String prompt = row.get("prompt_text").asText();
                String user = "<｜User｜>";
                String text = prompt.substring(prompt.indexOf(user) + user.length(), prompt.indexOf("<｜Assistant｜>"));
                String messages = new ObjectMapper()
                        .createArrayNode()
                        .add(new ObjectMapper()
                                .createObjectNode()
                                .put("role", "user")
                                .put("content", text))
                        .toString();
                assertThat(engine.encodeChat(ChatMessages.parse(messages), ThinkingMode.CHAT)
                                .toArray())
                        .containsExactly(ints(row.get("prompt_ids")));
            }
        }
    }
}
