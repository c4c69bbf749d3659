package io.millrace.udf;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.api.CacheRounding;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.expressions.GenericRowWithSchema;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class PromptRowsTest {
    private static final EngineRecipe ENGINE =
            new EngineRecipe("fake", "fake-model", "cache", "reference", 1, 0, 16, 4, CacheRounding.AUTO, true, true);

    private final FakeEngine engine = new FakeEngine(ENGINE);

    private static GenerateRecipe recipe(String template, int maxPromptTokens, OverlongPolicy overlong) {
        PromptRecipe prompt =
                new PromptRecipe(template, PromptFormat.CHAT, null, Thinking.CHAT, maxPromptTokens, overlong);
        return new GenerateRecipe(ENGINE, prompt, SamplingRecipe.greedy(8), "run", "f".repeat(64), "test");
    }

    private static Row row(@Nullable String text, @Nullable String lang) {
        Object[] values = {"file:/in.parquet", "1@2", 1, 7L, "id", text, null, null, null, null, null, null, lang};
        return new GenericRowWithSchema(values, InputColumns.schema(List.of("lang")));
    }

    private static Row unreadable(RowFault fault, String reason, @Nullable String raw) {
        Object[] values = {"file:/in.parquet", "1@2", 1, 7L, "id", null, null, fault.name(), reason, raw, null, null, null};
        return new GenericRowWithSchema(values, InputColumns.schema(List.of("lang")));
    }

    private PromptRows.Prompt prompt(GenerateRecipe recipe, Row row) {
        return new PromptRows(recipe, engine).prompt(row, 0);
    }

    private String text(PromptRows.Prompt prompt) {
        assertThat(prompt).isInstanceOf(PromptRows.Prompt.Ready.class);
        String rendered = ((PromptRows.Prompt.Ready) prompt).request().prompt().spelled(engine::decode);
        assertThat(rendered).startsWith("<user>").endsWith("</user>");
        return rendered.substring("<user>".length(), rendered.length() - "</user>".length());
    }

    private static void assertRefused(PromptRows.Prompt prompt, RowFault fault, String... messageParts) {
        assertThat(prompt).isInstanceOfSatisfying(PromptRows.Prompt.Refused.class, refused -> {
            assertThat(refused.code()).isEqualTo(fault.name());
            assertThat(refused.kind()).isEqualTo("BAD_INPUT");
            assertThat(refused.retryable()).isFalse();
            assertThat(refused.message()).contains(messageParts).contains("file:/in.parquet, row group 1, row 7");
        });
    }

    @Test
    void prompt_textOnly_isTheTextInOneTurn() {
        GenerateRecipe recipe = recipe("{text}", 0, OverlongPolicy.ERROR);

        assertThat(text(prompt(recipe, row("Some text.", null)))).isEqualTo("Some text.");
    }

    @Test
    void prompt_template_fillsOtherColumns() {
        GenerateRecipe recipe = recipe("{lang}: {text}", 0, OverlongPolicy.ERROR);

        assertThat(text(prompt(recipe, row("Text", "en")))).isEqualTo("en: Text");
        assertRefused(prompt(recipe, row("Text", null)), RowFault.COLUMN_NULL, "column lang");
    }

    @Test
    void prompt_badTexts_areRefusedEachForItsReason() {
        GenerateRecipe recipe = recipe("{text}", 0, OverlongPolicy.ERROR);

        assertRefused(prompt(recipe, row(null, null)), RowFault.TEXT_NULL, "got null");
        assertRefused(prompt(recipe, row(" \n\t", null)), RowFault.TEXT_BLANK, "3 characters of space");
        assertRefused(
                prompt(recipe, unreadable(RowFault.MALFORMED_RECORD, "expected a record, got half of one", "{\"a")),
                RowFault.MALFORMED_RECORD,
                "got half of one");
    }

    @Test
    void prompt_tooLong_isRefusedWithBothNumbers() {
        GenerateRecipe recipe = recipe("{text}", 10, OverlongPolicy.ERROR);

        assertThat(text(prompt(recipe, row("12345678", null)))).isEqualTo("12345678");
        assertRefused(
                prompt(recipe, row("123456789", null)),
                RowFault.PROMPT_TOO_LONG,
                "at most 10 tokens, got 11",
                "overlong: error");
    }

    @Test
    void prompt_truncateEnd_fillsTheBudgetAndKeepsTheClosingToken() {
        GenerateRecipe recipe = recipe("{text}!", 10, OverlongPolicy.TRUNCATE_END);

        assertThat(text(prompt(recipe, row("123456789abcdef", null)))).isEqualTo("1234567!");
    }

    @Test
    void prompt_truncateEnd_neverSplitsACharacter() {
        GenerateRecipe recipe = recipe("{text}", 10, OverlongPolicy.TRUNCATE_END);

        assertThat(text(prompt(recipe, row("12345\uD83D\uDE00xyz", null)))).isEqualTo("12345");
        assertThat(text(prompt(recipe, row("1234\uD83D\uDE00xyz", null)))).isEqualTo("1234\uD83D\uDE00");
    }

    @Test
    void prompt_truncateMiddle_keepsBothEndsAndMarksTheGap() {
        GenerateRecipe recipe = recipe("{text}", 21, OverlongPolicy.TRUNCATE_MIDDLE);
        PromptRows.Prompt prompt = prompt(recipe, row("abcdefghijklmnopqrstuvwxyz", null));

        assertThat(text(prompt)).isEqualTo("abcdef [...] uvwxyz");
        EncodedPrompt tokens = ((PromptRows.Prompt.Ready) prompt).request().prompt();
        assertThat(tokens.size()).isLessThanOrEqualTo(21);
    }

    @Test
    void prompt_templateAloneTooLong_isRefused() {
        GenerateRecipe recipe = recipe("a template of many words {text}", 10, OverlongPolicy.TRUNCATE_END);

        assertRefused(prompt(recipe, row("text", null)), RowFault.PROMPT_TOO_LONG, "overlong: truncate-end");
    }

    @Test
    void prompt_textUsedTwice_isCutInBothPlaces() {
        GenerateRecipe recipe = recipe("{text}|{text}", 13, OverlongPolicy.TRUNCATE_END);

        assertThat(text(prompt(recipe, row("123456789abcdef", null)))).isEqualTo("12345|12345");
    }

    @Test
    void prompt_endlessText_isEncodedAtItsEndsOnly() {
        String endless = "start " + "x".repeat(20_000_000) + " end";
        int looked = 21 * PromptRows.CHARS_PER_TOKEN;

        assertThat(text(prompt(recipe("{text}", 21, OverlongPolicy.TRUNCATE_END), row(endless, null))))
                .isEqualTo("start xxxxxxxxxxxxx");
        assertThat(text(prompt(recipe("{text}", 21, OverlongPolicy.TRUNCATE_MIDDLE), row(endless, null))))
                .isEqualTo("start  [...] xx end");
        assertRefused(
                prompt(recipe("{text}", 21, OverlongPolicy.ERROR), row(endless, null)),
                RowFault.PROMPT_TOO_LONG,
                "at most 21 tokens, got at least " + (looked + 2));
        assertThat(engine.longestEncoded()).isEqualTo(looked);
    }

    @Test
    void prompt_rowThatBreaksTheEncoder_isRefusedAndTheNextIsNot() {
        GenerateRecipe recipe = recipe("{text}", 0, OverlongPolicy.ERROR);

        assertThat(prompt(recipe, row("BREAK-ENCODER", null)))
                .isInstanceOfSatisfying(PromptRows.Prompt.Refused.class, refused -> {
                    assertThat(refused.code()).isEqualTo("INTERNAL");
                    assertThat(refused.message()).contains("broken as asked", "row group 1, row 7");
                    assertThat(refused.source().raw()).isEqualTo("BREAK-ENCODER");
                });
        assertThat(text(prompt(recipe, row("fine", null)))).isEqualTo("fine");
    }

    @Test
    void prompt_refused_keepsTheRawText() {
        GenerateRecipe recipe = recipe("{text}", 10, OverlongPolicy.ERROR);

        assertThat(prompt(recipe, row("123456789", null)).source().raw()).isEqualTo("123456789");
        assertThat(prompt(recipe, row(" \t", null)).source().raw()).isEqualTo(" \t");
        assertThat(prompt(recipe, row(null, null)).source().raw()).isNull();
        assertThat(prompt(recipe, unreadable(RowFault.MALFORMED_RECORD, "got half", "{\"a"))
                        .source()
                        .raw())
                .isEqualTo("{\"a");
    }

    @Test
    void prompt_noLimitGiven_leavesRoomForTheCompletion() {
        GenerateRecipe recipe = recipe("{text}", 0, OverlongPolicy.TRUNCATE_END);
        PromptRows.Prompt prompt = prompt(recipe, row("x".repeat(2 * FakeEngine.MAX_POSITIONS), null));

        assertThat(((PromptRows.Prompt.Ready) prompt).request().prompt().size())
                .isEqualTo(FakeEngine.MAX_POSITIONS - 8);
    }

    @Test
    void prompt_identity_decidesIdAndSeed() {
        GenerateRecipe recipe = recipe("{text}", 0, OverlongPolicy.ERROR);
        RowIdentity identity = new RowIdentity("file:/in.parquet", "1@2", 1, 7, 0);
        PromptRows.Prompt.Ready ready = (PromptRows.Prompt.Ready) prompt(recipe, row("Text", null));

        assertThat(ready.request().id())
                .isEqualTo(identity.requestId(recipe.configFingerprint()))
                .hasSize(64);
        assertThat(ready.request().sampling().seed())
                .isEqualTo(identity.seed(0, 0))
                .isNotEqualTo(identity.seed(1, 0));
        assertThat(new RowIdentity("file:/in.parquet", "1@2", 1, 7, 1).seed(0, 0))
                .isNotEqualTo(identity.seed(0, 0));
    }
}
