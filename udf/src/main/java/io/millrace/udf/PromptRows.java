package io.millrace.udf;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorKind;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.TokenIds;
import java.util.HexFormat;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;

/// Rows of the shape of {@link InputColumns} as requests. A bad row never throws: it becomes a {@link
/// Prompt.Refused}; a model that cannot take any prompt does. Confined to one task.
final class PromptRows {

    /// Stands where the middle of a text was left out.
    static final String OMISSION = " [...] ";

    /// How much of a refused record an error message shows, in characters.
    private static final int EXCERPT_CHARS = 120;

    private final GenerateRecipe recipe;
    private final PromptTemplate template;
    private final PromptEngine engine;
    private final int maxPromptTokens;

    PromptRows(GenerateRecipe recipe, PromptEngine engine) {
        this.recipe = recipe;
        this.engine = engine;
        template = PromptTemplate.parse(recipe.prompt().template());
        int room = Math.max(1, engine.model().maxPositions() - recipe.sampling().maxTokens());
        int asked = recipe.prompt().maxPromptTokens();
        maxPromptTokens = asked == 0 ? room : Math.min(asked, room);
    }

    Prompt prompt(Row row, int sampleIdx) {
        RowIdentity identity = RowIdentity.of(row, sampleIdx);
        Source source = new Source(
                identity,
                row.getAs(InputColumns.CUSTOM_ID),
                row.getAs(InputColumns.TEXT),
                row.getAs(InputColumns.REFERENCE));
        try {
            return new Prompt.Ready(source, request(row, source));
        } catch (RowRefusedException e) {
            return new Prompt.Refused(source, "BAD_INPUT", e.fault().name(), e.reason(), false);
        } catch (EngineException e) {
            if (e.code().kind() != ErrorKind.BAD_INPUT && e.code().kind() != ErrorKind.INSUFFICIENT_RESOURCES) {
                // not the row's fault, so no other row would fare better
                throw e;
            }
            return new Prompt.Refused(
                    source,
                    e.code().kind().name(),
                    e.code().name(),
                    String.valueOf(e.getMessage()),
                    e.code().isRetryable());
        }
    }

    private GenerationRequest request(Row row, Source source) {
        String malformed = row.getAs(InputColumns.MALFORMED);
        if (malformed != null) {
            throw refused(RowFault.MALFORMED_RECORD, "expected a record, got " + excerpt(malformed), source);
        }
        String text = checkedText(source);
        TokenIds tokens = encode(row, text, source);
        if (tokens.size() > maxPromptTokens) {
            tokens = shortened(row, text, tokens.size(), source);
        }
        RowIdentity identity = source.identity();
        return new GenerationRequest(
                identity.requestId(recipe.configFingerprint()),
                tokens,
                recipe.sampling().params(identity.seed(recipe.sampling().seed())));
    }

    private String checkedText(Source source) {
        String text = source.text();
        if (text == null) {
            throw refused(RowFault.TEXT_NULL, "expected a text, got null", source);
        }
        if (text.isBlank()) {
            throw refused(
                    RowFault.TEXT_BLANK, "expected a text, got " + text.length() + " characters of space", source);
        }
        requireUnicode("text", text, source);
        return text;
    }

    private static void requireUnicode(String column, String text, Source source) {
        int at = unpairedSurrogate(text);
        if (at >= 0) {
            throw refused(
                    RowFault.TEXT_NOT_UNICODE,
                    "column " + column + ": expected Unicode text, got the unpaired surrogate U+"
                            + HexFormat.of().withUpperCase().toHexDigits(text.charAt(at)) + " at character " + at,
                    source);
        }
    }

    private TokenIds encode(Row row, String text, Source source) {
        String user = template.render(text, column -> {
            String value = row.getAs(column);
            if (value == null) {
                throw refused(RowFault.COLUMN_NULL, "column " + column + ": expected a value, got null", source);
            }
            requireUnicode(column, value, source);
            return value;
        });
        return switch (recipe.prompt().format()) {
            case CHAT ->
                engine.encodeChat(
                        recipe.prompt().system(), user, recipe.prompt().thinking());
            case RAW -> engine.encodeText(user);
        };
    }

    /// Cuts the text until the prompt fits. Cutting k tokens off the text need not shorten the prompt by k,
    /// since the shorter text is encoded anew; so try, look, and cut by what is still too much.
    private TokenIds shortened(Row row, String text, int promptTokens, Source source) {
        TokenIds textTokens = recipe.prompt().overlong() == OverlongPolicy.ERROR || !template.usesText()
                ? TokenIds.EMPTY
                : engine.encodeText(text);
        int keep = textTokens.size() - (promptTokens - maxPromptTokens);
        while (keep > 0) {
            TokenIds tokens = encode(row, cut(text, textTokens, keep), source);
            if (tokens.size() <= maxPromptTokens) {
                return tokens;
            }
            keep -= tokens.size() - maxPromptTokens;
        }
        throw refused(
                RowFault.PROMPT_TOO_LONG,
                "expected a prompt of at most " + maxPromptTokens + " tokens, got " + promptTokens + " (overlong: "
                        + recipe.prompt().overlong().wireName() + ")",
                source);
    }

    private String cut(String text, TokenIds tokens, int keep) {
        if (recipe.prompt().overlong() == OverlongPolicy.TRUNCATE_END) {
            return TokenCut.head(text, tokens, keep, engine);
        }
        int head = (keep + 1) / 2;
        return TokenCut.head(text, tokens, head, engine) + OMISSION + TokenCut.tail(text, tokens, keep - head, engine);
    }

    /// Where the first unpaired surrogate is, or -1.
    static int unpairedSurrogate(String text) {
        for (int at = 0; at < text.length(); at++) {
            char c = text.charAt(at);
            if (Character.isHighSurrogate(c)
                    && at + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(at + 1))) {
                at++;
            } else if (Character.isSurrogate(c)) {
                return at;
            }
        }
        return -1;
    }

    private static String excerpt(String record) {
        return record.length() <= EXCERPT_CHARS ? record : record.substring(0, EXCERPT_CHARS) + "...";
    }

    private static RowRefusedException refused(RowFault fault, String reason, Source source) {
        RowIdentity at = source.identity();
        return new RowRefusedException(
                fault, reason + " (" + at.file() + ", row group " + at.rowGroup() + ", row " + at.row() + ")");
    }

    /// What of the input row the output row repeats or measures.
    ///
    /// @param text the text column as it was read
    record Source(
            RowIdentity identity,
            @Nullable String customId,
            @Nullable String text,
            @Nullable String reference) {}

    /// What became of a row before the engine saw it.
    sealed interface Prompt {
        Source source();

        record Ready(Source source, GenerationRequest request) implements Prompt {}

        /// @param kind who has to act, see {@link io.millrace.engine.api.ErrorKind}
        /// @param code stable word
        record Refused(Source source, String kind, String code, String message, boolean retryable) implements Prompt {}
    }
}
