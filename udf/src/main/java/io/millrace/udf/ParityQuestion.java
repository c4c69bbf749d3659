package io.millrace.udf;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.ScoringRequest;
import io.millrace.engine.api.ScoringResult;
import io.millrace.engine.api.TokenIds;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.apache.spark.api.java.function.Function;

/// Has an executor's engine score texts, so that two kinds of engines can be compared: how likely it finds
/// each token after those before it.
public final class ParityQuestion implements Function<String, String> {
    private static final long serialVersionUID = 1L;
    private static final ObjectMapper JSON = new ObjectMapper();

    /// Prose, code, numbers, another script.
    private static final List<String> TEXTS = List.of(
            "The mill stands where the river leaves the hills. A wheel of oak turns a shaft, the shaft turns the stones, and"
                    + " what was grain in the morning is flour at noon.",
            "for (int row = 0; row < rows; row++) { sum += weight[row] * input[row]; } return sum / rows;",
            "In 1834 it ground 4,812 sacks, in 1835 no more than 3,960, since from June to September there was no water.",
            "\u6c34\u8f66\u8f6c\u52a8\u77f3\u78e8\uff0c\u628a\u8c37\u7269\u78e8\u6210\u9762\u7c89\u3002");
    /// Tokens of a text that are given, not scored.
    private static final int GIVEN = 1;

    private final EngineRecipe recipe;

    public ParityQuestion(EngineRecipe recipe) {
        this.recipe = recipe;
    }

    /// An engine's answer.
    ///
    /// @param identity what the engine is
    /// @param logprobs natural logarithm of each token's probability, text after text
    public record Answer(EngineIdentity identity, List<Double> logprobs) {
        public Answer {
            logprobs = List.copyOf(logprobs);
        }

        String toJson() {
            try {
                return JSON.writeValueAsString(this);
            } catch (JsonProcessingException e) {
                throw new IllegalStateException("strings and numbers can always be written", e);
            }
        }

        /// @throws IllegalArgumentException if it is not what {@link #call} returned
        public static Answer ofJson(String json) {
            try {
                return JSON.readValue(json, Answer.class);
            } catch (JsonProcessingException e) {
                throw new IllegalArgumentException("parity: expected an answer's JSON, got " + json, e);
            }
        }
    }

    /// @return {@link Answer} as JSON
    @Override
    public String call(String nothing) {
        try (ExecutorEngine.Lease lease = ExecutorEngine.ofThisProcess().lease(recipe)) {
            PromptEngine engine = lease.engine();
            List<CompletableFuture<ScoringResult>> scores = new ArrayList<>();
            for (String text : TEXTS) {
                int[] tokens = engine.encodeText(text).toArray();
                scores.add(engine.score(new ScoringRequest(
                        "parity",
                        TokenIds.of(Arrays.copyOf(tokens, GIVEN)),
                        TokenIds.of(Arrays.copyOfRange(tokens, GIVEN, tokens.length)))));
            }
            List<Double> logprobs = new ArrayList<>();
            scores.forEach(score -> logprobs.addAll(logprobs(score, lease)));
            return new Answer(engine.identity(), logprobs).toJson();
        }
    }

    /// A device that fails makes the task fail, after it was told of, so that another answers.
    private static List<Double> logprobs(CompletableFuture<ScoringResult> score, ExecutorEngine.Lease lease) {
        try {
            return switch (score.join()) {
                case ScoringResult.Scored scored -> scored.logprobs();
                case GenerationResult.Failed failed -> {
                    lease.failed(failed.code(), failed.message());
                    throw new EngineException(failed.code(), "parity: " + failed.message());
                }
            };
        } catch (CompletionException e) {
            throw new EngineException(ErrorCode.INTERNAL, "parity: " + e.getCause(), e);
        }
    }
}
