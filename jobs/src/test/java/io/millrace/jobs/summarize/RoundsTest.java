package io.millrace.jobs.summarize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineException;
import io.millrace.jobs.summarize.Rounds.Answer;
import io.millrace.jobs.summarize.Rounds.Request;
import io.millrace.udf.EngineRecipe;
import io.millrace.udf.FakeEngineProvider;
import io.millrace.udf.OverlongPolicy;
import io.millrace.udf.PromptEngine;
import io.millrace.udf.PromptFormat;
import io.millrace.udf.PromptRecipe;
import io.millrace.udf.SamplingRecipe;
import io.millrace.udf.Thinking;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Against the fake engine, whose tokens are bytes and which puts two around a prompt.
class RoundsTest {
    private static final int PROMPT_TOKENS = 60;

    private final PromptEngine engine = new FakeEngineProvider()
            .open(new EngineRecipe("fake", "fake", "cache", "reference", 1, 0, 16, 2, CacheRounding.AUTO, true, true));

    /// What was asked, in order: `round: prompt`.
    private final List<String> asked = new ArrayList<>();

    @AfterEach
    void tearDown() {
        engine.close();
    }

    private static SummarizeConfig config(Strategy strategy, FailedChunks failed, int carry) {
        return new SummarizeConfig(strategy, 20, 0, carry, failed, "[{text}]", "({summary}) {text}", false, 1);
    }

    private Prompts prompts(SummarizeConfig config) {
        PromptRecipe prompt = new PromptRecipe(
                "{text}", PromptFormat.CHAT, null, Thinking.CHAT, PROMPT_TOKENS, OverlongPolicy.TRUNCATE_END);
        return new Prompts(config, prompt, SamplingRecipe.greedy(10), engine);
    }

    private Progress run(SummarizeConfig config, String text, Function<Request, Answer> model) {
        Prompts prompts = prompts(config);
        int most = prompts.chunkTokens(Map.of());
        Document document = new Document(
                text, Map.of(), new Splitter(prompts::tokens, most, config.overlapTokens()).chunks(text), most);
        Rounds rounds = new Rounds(config, prompts);
        Progress progress = rounds.begin(document);
        for (int round = 1; !progress.isReady(); round++) {
            Map<Integer, Answer> answers = new HashMap<>();
            for (Request request : rounds.requests(document, progress)) {
                asked.add(round + ": " + request.prompt());
                answers.put(request.piece(), model.apply(request));
            }
            assertThat(answers).isNotEmpty();
            progress = rounds.answered(document, Progress.ofJson(progress.toJson()), answers);
        }
        assertThat(rounds.requests(document, progress)).isEmpty();
        return progress;
    }

    private static Answer firstWord(Request request) {
        return new Answer(request.text().split("[ .\n]")[0], null);
    }

    private static final String TEXT = "Alpha one is long. Beta two is long. Gamma three is so. Delta four is so.";

    @Test
    void mapReduce_summariesThatFit_areAskedTogether() {
        Progress end = run(config(Strategy.MAP_REDUCE, FailedChunks.FAIL, 0), TEXT, RoundsTest::firstWord);

        assertThat(asked)
                .containsExactly(
                        "1: Alpha one is long.",
                        "1: Beta two is long.",
                        "1: Gamma three is so.",
                        "1: Delta four is so.");
        assertThat(end.prompt()).isEqualTo("[Alpha\n\nBeta\n\nGamma\n\nDelta]");
        assertThat(end.ofChunks()).containsEntry(2, "Gamma").hasSize(4);
    }

    @Test
    void mapReduce_summariesThatDoNotFit_areSummarisedInEvenGroups() {
        String text = TEXT + " " + TEXT + " " + TEXT;

        Progress end = run(config(Strategy.MAP_REDUCE, FailedChunks.FAIL, 0), text, RoundsTest::firstWord);

        assertThat(asked).hasSize(12 + 4);
        assertThat(asked.subList(12, 14)).containsExactly("2: [Alpha\n\nBeta\n\nGamma]", "2: [Delta\n\nAlpha\n\nBeta]");
        assertThat(end.prompt()).isEqualTo("[Alpha\n\nDelta\n\nGamma\n\nBeta]");
        assertThat(end.level()).isEqualTo(2);
        assertThat(end.summaries().get(1)).isEqualTo(new Progress.Summary(3, 5, "Delta"));
    }

    @Test
    void mapReduce_summariesOfWhichNoTwoFitAChunk_areSaidSo() {
        Progress end =
                run(config(Strategy.MAP_REDUCE, FailedChunks.FAIL, 0), TEXT, _ -> new Answer("x".repeat(19), null));

        assertThat(end.failure())
                .isEqualTo(
                        "the 4 summaries of level 1 do not fit a prompt, nor do two of them fit a chunk of 20 tokens");
    }

    @Test
    void refine_eachChunkHasTheSummaryBeforeIt_theLastOneInTheLastPrompt() {
        Progress end = run(config(Strategy.REFINE, FailedChunks.FAIL, 0), TEXT, RoundsTest::firstWord);

        assertThat(asked)
                .containsExactly(
                        "1: Alpha one is long.", "2: (Alpha) Beta two is long.", "3: (Beta) Gamma three is so.");
        assertThat(end.prompt()).isEqualTo("(Gamma) Delta four is so.");
    }

    @Test
    void hierarchical_eachChunkHasTheSummariesBeforeIt_asManyAsFit() {
        Progress end = run(config(Strategy.HIERARCHICAL, FailedChunks.FAIL, 12), TEXT, RoundsTest::firstWord);

        assertThat(asked)
                .containsExactly(
                        "1: Alpha one is long.",
                        "2: (Alpha) Beta two is long.",
                        "3: (Alpha\n\nBeta) Gamma three is so.",
                        "4: (Beta\n\nGamma) Delta four is so.");
        assertThat(end.prompt()).isEqualTo("[Alpha\n\nBeta\n\nGamma\n\nDelta]");
    }

    @Test
    void anyStrategy_documentOfOneChunk_isReadyAtOnce() {
        for (Strategy strategy : List.of(Strategy.MAP_REDUCE, Strategy.REFINE, Strategy.HIERARCHICAL)) {
            assertThat(run(config(strategy, FailedChunks.FAIL, 0), "Short.", RoundsTest::firstWord)
                            .prompt())
                    .isEqualTo("Short.");
        }
        assertThat(asked).isEmpty();
    }

    @Test
    void failedChunk_failsTheDocumentAndSaysWhich_orIsLeftOut() {
        Function<Request, Answer> model =
                request -> request.text().startsWith("Beta") ? new Answer(null, "CODE: why") : firstWord(request);

        assertThat(run(config(Strategy.MAP_REDUCE, FailedChunks.FAIL, 0), TEXT, model)
                        .failure())
                .isEqualTo("chunk 1 of 4 (characters 19 to 36): CODE: why");
        Progress end = run(config(Strategy.MAP_REDUCE, FailedChunks.LEAVE_OUT, 0), TEXT, model);
        assertThat(end.prompt()).isEqualTo("[Alpha\n\nGamma\n\nDelta]");
        assertThat(end.leftOut()).containsExactly("chunk 1 of 4 (characters 19 to 36): CODE: why");
        assertThat(run(config(Strategy.REFINE, FailedChunks.LEAVE_OUT, 0), TEXT, model)
                        .prompt())
                .isEqualTo("(Gamma) Delta four is so.");
        assertThat(run(config(Strategy.MAP_REDUCE, FailedChunks.LEAVE_OUT, 0), TEXT, _ -> new Answer(" ", null))
                        .failure())
                .isEqualTo("no chunk of 4 could be summarised");
    }

    @Test
    void codeLongerThanAChunk_failsTheDocument_orIsLeftOut() {
        String text = "Alpha one is long.\n\n```\nthis is code of some length\n```\n\nBeta two is long.";

        Progress failed = run(config(Strategy.REFINE, FailedChunks.FAIL, 0), text, RoundsTest::firstWord);
        assertThat(failed.failure())
                .isEqualTo(
                        "chunk 1 of 3 (characters 20 to 55): a code block or table of 35 tokens, which are never cut;"
                                + " expected at most 20");
        Progress end = run(config(Strategy.REFINE, FailedChunks.LEAVE_OUT, 0), text, RoundsTest::firstWord);
        assertThat(end.prompt()).isEqualTo("(Alpha) Beta two is long.");
        assertThat(end.leftOut()).hasSize(1);
    }

    @Test
    void chunkTokens_moreThanThereIsRoomFor_isRefused() {
        SummarizeConfig config = config(Strategy.REFINE, FailedChunks.FAIL, 0);
        // 2 around the prompt, 3 of the template, 10 of a summary, 4 for seams
        assertThat(prompts(new SummarizeConfig(
                                Strategy.REFINE, 0, 0, 0, FailedChunks.FAIL, null, config.continueTemplate(), false, 1))
                        .chunkTokens(Map.of()))
                .isEqualTo(PROMPT_TOKENS - 2 - 3 - 10 - 4);
        SummarizeConfig larger = new SummarizeConfig(
                Strategy.REFINE, 42, 0, 0, FailedChunks.FAIL, null, config.continueTemplate(), false, 1);
        assertThatThrownBy(() -> prompts(larger).chunkTokens(Map.of()))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("summarize.chunk-tokens: expected at most 41")
                .hasMessageContaining("got 42");
    }
}
