package io.millrace.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.engine.api.EngineConfig;
import io.millrace.engine.api.FinishReason;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.OutputForm;
import io.millrace.engine.api.SamplingParams;
import io.millrace.engine.chat.ChatMessage;
import io.millrace.engine.chat.ThinkingMode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Answers of a form from the bundled model, which was never taught JSON.
class FormedAnswerTest {
    private static final Path MODEL = Path.of("models/synopsis-v4");
    private static final String SCHEMA = """
            {"type": "object", "properties": {"kind": {"enum": ["library", "game", "tool"]},
             "words": {"type": "array", "items": {"type": "string", "maxLength": 8}, "maxItems": 2},
             "ok": {"type": ["boolean", "null"]}}, "required": ["kind", "ok"], "additionalProperties": false}""";

    private static LocalEngine engine;

    @BeforeAll
    static void open() {
        engine = LocalEngine.open(EngineConfig.of(MODEL));
    }

    @AfterAll
    static void close() {
        engine.close();
    }

    private static GenerationRequest request(int row, int maxTokens, ThinkingMode mode) {
        SamplingParams sampling = new SamplingParams(row % 4, 1, 0, 0, maxTokens, List.of(), row, false)
                .withForm(new OutputForm(SCHEMA, mode != ThinkingMode.CHAT));
        ChatMessage question = ChatMessage.user("A library of " + row + " games for the terminal.");
        return new GenerationRequest("row " + row, engine.encodeChat(List.of(question), mode), sampling);
    }

    private static GenerationResult.Completed completed(CompletableFuture<GenerationResult> future) {
        return (GenerationResult.Completed) future.join();
    }

    @Test
    void answers_thatEndByThemselves_areOfTheForm_andTheSameAlone() throws IOException {
        List<CompletableFuture<GenerationResult>> together = new ArrayList<>();
        for (int row = 0; row < 8; row++) {
            together.add(engine.submit(request(row, 200, ThinkingMode.CHAT)));
        }
        int ended = 0;
        for (int row = 0; row < 8; row++) {
            GenerationResult.Completed answer = completed(together.get(row));
            GenerationResult.Completed alone = completed(engine.submit(request(row, 200, ThinkingMode.CHAT)));
            assertThat(alone.tokens()).isEqualTo(answer.tokens());
            assertThat(alone.meanLogprob()).isEqualTo(answer.meanLogprob());
            if (answer.finishReason() == FinishReason.STOP) {
                ended++;
                JsonNode value = new ObjectMapper().readTree(answer.text());
                assertThat(value.path("kind").asText()).isIn("library", "game", "tool");
                assertThat(value.path("ok").isBoolean() || value.path("ok").isNull())
                        .isTrue();
                assertThat(value.path("words")).hasSizeLessThanOrEqualTo(2);
            }
        }
        assertThat(ended).isPositive();
    }

    @Test
    void answer_thatIsCut_isTheBeginningOfOne() {
        GenerationResult.Completed answer = completed(engine.submit(request(3, 24, ThinkingMode.CHAT)));

        assertThat(answer.finishReason()).isEqualTo(FinishReason.LENGTH);
        assertThat(answer.tokens().size()).isEqualTo(24);
        assertThat(answer.text().strip()).startsWith("{");
    }

    @Test
    void answer_ofAModelThatDoesNotEndItsReasoning_goesOnWithIt() {
        GenerationResult.Completed answer = completed(engine.submit(request(0, 40, ThinkingMode.THINKING)));

        // without the form, it would end like any synopsis
        assertThat(answer.finishReason()).isEqualTo(FinishReason.LENGTH);
        assertThat(answer.text()).doesNotContain("</think>");
    }
}
