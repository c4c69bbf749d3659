package io.millrace.udf;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.ErrorKind;
import io.millrace.engine.api.OutputForm;
import io.millrace.engine.api.SamplingParams;
import io.millrace.engine.api.ScoringRequest;
import io.millrace.engine.api.TokenIds;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Rows of the shape of {@link InputColumns} as requests. A bad row never throws: it becomes a {@link
/// Prompt.Refused}; a model that cannot take any prompt does. Confined to one task.
///
/// Of a text much longer than a prompt may be, only the ends are ever encoded, so a row costs time and
/// memory by the prompt's limit and not by its own length.
public final class PromptRows {
    private static final Logger log = LoggerFactory.getLogger(PromptRows.class);

    /// Stands where the middle of a text was left out.
    static final String OMISSION = " [...] ";

    /// Characters of a text that are looked at for each token a prompt may have. Prose has 3 to 5 per
    /// token; a text of which so many do fit is encoded whole after all.
    static final int CHARS_PER_TOKEN = 64;

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final TypeReference<List<String>> TEXTS = new TypeReference<>() {};

    private final GenerateRecipe recipe;
    private final PromptTemplate template;
    private final PromptEngine engine;

    public PromptRows(GenerateRecipe recipe, PromptEngine engine) {
        this.recipe = recipe;
        this.engine = engine;
        template = PromptTemplate.parse(recipe.prompt().template());
    }

    /// How much of a prompt is taken.
    ///
    /// @param tokens most tokens of the prompt
    /// @param chars of a text that are looked at, from either end
    private record Room(int tokens, int chars) {}

    /// @param more tokens that come behind the prompt
    private Room room(int more) {
        int left = Math.max(1, engine.model().maxPositions() - more);
        int asked = recipe.prompt().maxPromptTokens();
        int tokens = asked == 0 ? left : Math.min(asked, left);
        return new Room(tokens, (int) Math.min(Integer.MAX_VALUE, (long) CHARS_PER_TOKEN * tokens));
    }

    /// What becomes of a row's sample.
    public Prompt prompt(Row row, int sampleIdx) {
        RowIdentity identity = RowIdentity.of(row, sampleIdx);
        String text = row.getAs(InputColumns.TEXT);
        String raw = row.getAs(InputColumns.RAW);
        Source source = new Source(
                identity,
                recipe.seed(identity),
                isChat(text),
                row.getAs(InputColumns.CUSTOM_ID),
                text == null ? 0 : text.codePointCount(0, text.length()),
                text == null ? "" : Languages.start(text),
                row.getAs(InputColumns.REFERENCE),
                raw == null && text != null ? RawText.of(text) : raw);
        try {
            return prompt(row, text, source);
        } catch (RowRefusedException e) {
            return new Prompt.Refused(source, "BAD_INPUT", e.fault().name(), e.reason(), false);
        } catch (RowParameters.ParametersException e) {
            return new Prompt.Refused(
                    source,
                    "BAD_INPUT",
                    RowFault.PARAMETERS_INVALID.name(),
                    placed(String.valueOf(e.getMessage()), source),
                    false);
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
        } catch (RuntimeException e) {
            // a fault of ours that one text brings out must not take the other rows along
            log.error("{}: no prompt", identity, e);
            ErrorCode code = ErrorCode.INTERNAL;
            return new Prompt.Refused(
                    source, code.kind().name(), code.name(), placed(e.toString(), source), code.isRetryable());
        }
    }

    /// Of a body that cannot be read, what most are.
    private boolean isChat(@Nullable String text) {
        if (recipe.prompt().format() != PromptFormat.OPENAI || text == null) {
            return recipe.prompt().format() != PromptFormat.RAW;
        }
        try {
            return !JSON.readTree(text).has("prompt");
        } catch (JsonProcessingException _) {
            return true;
        }
    }

    private Prompt prompt(Row row, @Nullable String text, Source source) {
        String fault = row.getAs(InputColumns.FAULT);
        if (fault != null) {
            throw refused(RowFault.valueOf(fault), row.getAs(InputColumns.REASON), source);
        }
        List<String> continuations = continuations(row, source);
        Given given = given(row, text, source);
        RowParameters own = given.parameters();
        int samples = continuations == null ? own.samples(recipe.sampling().samples()) : 1;
        if (source.identity().sampleIdx() >= samples) {
            return new Prompt.Skipped(source);
        }
        return continuations == null ? ready(row, given, source) : scored(row, given, continuations, source);
    }

    /// What a row is answered by.
    ///
    /// @param format as the row has it: never {@link PromptFormat#OPENAI}
    /// @param parameters in place of the run's
    private record Given(PromptFormat format, @Nullable String text, RowParameters parameters) {}

    private Given given(Row row, @Nullable String text, Source source) {
        PromptFormat format = recipe.prompt().format();
        if (format != PromptFormat.OPENAI) {
            String parameters = row.getAs(InputColumns.PARAMETERS);
            return new Given(format, text, RowParameters.of(parameters));
        }
        ObjectNode body = body(checked(text, source), source);
        JsonNode messages = body.remove("messages");
        JsonNode prompt = body.remove("prompt");
        if ((messages == null) == (prompt == null) || (prompt != null && !prompt.isTextual())) {
            String found = prompt == null
                    ? "neither"
                    : messages == null ? prompt.getNodeType().toString() : "both";
            throw refused(
                    RowFault.PARAMETERS_INVALID,
                    "body: expected either messages or a text as prompt, got " + found,
                    source);
        }
        if (!body.has("n")) {
            body.put("n", 1);
        }
        return new Given(
                prompt == null ? PromptFormat.MESSAGES : PromptFormat.RAW,
                prompt == null ? String.valueOf(messages) : prompt.textValue(),
                RowParameters.of(body.toString()));
    }

    private static ObjectNode body(String text, Source source) {
        String found;
        try {
            if (JSON.readTree(text) instanceof ObjectNode body) {
                return body;
            }
            found = "another value";
        } catch (JsonProcessingException e) {
            found = e.getOriginalMessage();
        }
        throw refused(RowFault.PARAMETERS_INVALID, "body: expected a JSON object, got " + found, source);
    }

    /// How a prompt is made.
    ///
    /// @param tools that the model is told of; null for none
    private record Making(
            PromptFormat format,
            Thinking thinking,
            @Nullable JsonNode tools,
            Room room) {}

    private Prompt ready(Row row, Given given, Source source) {
        RowParameters own = given.parameters();
        RowIdentity identity = source.identity();
        SamplingRecipe sampling = own.over(recipe.sampling());
        Retry retry = recipe.retry();
        if (retry != null) {
            // what the gate gives for a retry stands over what the row was asked with before
            sampling = with(sampling, retry, source);
        }
        Long seed = own.seed();
        Source seeded = seed == null ? source : source.withSeed(recipe.seed(identity, seed));
        boolean isChat = given.format() != PromptFormat.RAW;
        Thinking thinking = isChat ? own.thinking(recipe.prompt().thinking()) : Thinking.CHAT;
        JsonNode tools = own.tools();
        if (tools != null && !isChat) {
            throw refused(
                    RowFault.PARAMETERS_INVALID, "parameters.tools: expected none of a text to go on with", source);
        }
        Making making = new Making(given.format(), thinking, tools, room(sampling.maxTokens()));
        EncodedPrompt prompt = fitting(row, checked(given.text(), source), making, source);
        String begun = "";
        if (own.mustCall()) {
            EncodedPrompt.Begun call = beginCall(prompt, own, thinking, source);
            prompt = call.prompt();
            begun = call.begun();
        }
        String schema = own.schema();
        SamplingParams params = sampling.params(seeded.seed());
        if (schema != null) {
            if (!begun.isEmpty()) {
                throw refused(
                        RowFault.PARAMETERS_INVALID,
                        "parameters.response_format: expected none beside a tool_choice that asks for a call",
                        source);
            }
            params = params.withForm(new OutputForm(schema, thinking != Thinking.CHAT));
        }
        return new Prompt.Ready(
                seeded,
                new PromptRequest(
                        identity.requestId(recipe.configFingerprint()),
                        prompt,
                        params,
                        new Reading(isChat, thinking, begun, schema)));
    }

    private static SamplingRecipe with(SamplingRecipe sampling, Retry retry, Source source) {
        try {
            return sampling.with(retry.parameters());
        } catch (IllegalArgumentException e) {
            throw refused(RowFault.PARAMETERS_INVALID, String.valueOf(e.getMessage()), source);
        }
    }

    private EncodedPrompt.Begun beginCall(EncodedPrompt prompt, RowParameters own, Thinking thinking, Source source) {
        if (thinking != Thinking.CHAT) {
            throw refused(
                    RowFault.PARAMETERS_INVALID,
                    "parameters.tool_choice: expected auto or none of a model that reasons first",
                    source);
        }
        return engine.beginCall(prompt, own.toolToCall());
    }

    private static @Nullable List<String> continuations(Row row, Source source) {
        String json = row.getAs(InputColumns.CONTINUATIONS);
        if (json == null) {
            return null;
        }
        try {
            List<String> texts = JSON.readValue(json, TEXTS);
            if (texts != null && !texts.isEmpty() && texts.stream().allMatch(text -> text != null && !text.isEmpty())) {
                return texts;
            }
        } catch (JsonProcessingException _) {
            // said below
        }
        throw refused(
                RowFault.CONTINUATIONS_INVALID,
                "continuations: expected a JSON array of texts that are not empty, got "
                        + (json.length() <= 100 ? json : json.substring(0, 100) + "…"),
                source);
    }

    /// As lm-evaluation-harness has it: of plain text, prompt and continuation are encoded as one text,
    /// of which the prompt's tokens are counted off. A continuation without a prompt follows the token
    /// that begins a text.
    private Prompt scored(Row row, Given given, List<String> continuations, Source source) {
        boolean plain = given.format() == PromptFormat.RAW;
        String text = given.text();
        boolean bare = plain && text != null && text.isEmpty();
        int longest = continuations.stream()
                .mapToInt(continuation -> engine.encodeText(continuation).size())
                .max()
                .orElse(1);
        EncodedPrompt prompt = bare
                ? new EncodedPrompt.Tokens(engine.beginning())
                : fitting(
                        row,
                        checked(text, source),
                        new Making(given.format(), recipe.prompt().thinking(), null, room(longest)),
                        source);
        if (!(prompt instanceof EncodedPrompt.Tokens(TokenIds ids))) {
            throw refused(RowFault.CONTINUATIONS_INVALID, "continuations: expected an engine in the executor", source);
        }
        String before = plain && !bare ? engine.decode(ids) : "";
        String id = source.identity().requestId(recipe.configFingerprint());
        List<ScoringRequest> requests = new ArrayList<>();
        List<Integer> parts = new ArrayList<>();
        for (String continuation : continuations) {
            TokenIds whole = engine.encodeText(before + continuation);
            List<ScoringRequest> own = bare && !whole.isEmpty()
                    ? ScoringWindows.of(id, ids, whole, engine.model().maxPositions() - ids.size())
                    : List.of(new ScoringRequest(id, ids, before.isEmpty() ? whole : whole.from(ids.size())));
            requests.addAll(own);
            parts.add(own.size());
        }
        return new Prompt.Scored(source, prompt, requests, parts);
    }

    private static String checked(@Nullable String text, Source source) {
        if (text == null) {
            throw refused(RowFault.TEXT_NULL, "expected a text, got null", source);
        }
        if (text.codePoints().allMatch(c -> Character.isWhitespace(c) || Character.isSpaceChar(c))) {
            throw refused(
                    RowFault.TEXT_BLANK, "expected a text, got " + text.length() + " characters of space", source);
        }
        return text;
    }

    private EncodedPrompt encode(Row row, String text, Making making, Source source) {
        String user = template.render(text, column -> {
            String value = row.getAs(column);
            if (value == null) {
                throw refused(RowFault.COLUMN_NULL, "column " + column + ": expected a value, got null", source);
            }
            return value;
        });
        return switch (making.format()) {
            case CHAT ->
                making.tools() == null
                        ? engine.chat(recipe.prompt().system(), user, making.thinking())
                        : engine.messages(told(conversation(user), making.tools()), making.thinking());
            case MESSAGES ->
                engine.messages(making.tools() == null ? user : told(user, making.tools()), making.thinking());
            case RAW -> engine.text(user);
            case CONTROL -> engine.controlText(user);
            case OPENAI -> throw new IllegalStateException("a row is of a conversation or of a text");
        };
    }

    private String conversation(String user) {
        ArrayNode messages = JSON.createArrayNode();
        String system = recipe.prompt().system();
        if (system != null) {
            messages.addObject().put("role", "system").put("content", system);
        }
        messages.addObject().put("role", "user").put("content", user);
        return messages.toString();
    }

    private static String told(String messages, JsonNode tools) {
        return "{\"messages\":" + messages + ",\"tools\":" + tools + "}";
    }

    /// The prompt, with as much of the text as fits.
    private EncodedPrompt fitting(Row row, String text, Making making, Source source) {
        Room room = making.room();
        boolean whole = making.format() == PromptFormat.MESSAGES;
        String start = whole ? text : end(text, true, room);
        EncodedPrompt prompt = encode(row, start, making, source);
        if (start.length() < text.length() && prompt.size() <= room.tokens()) {
            start = text;
            prompt = encode(row, text, making, source);
        }
        return prompt.size() <= room.tokens() ? prompt : shortened(row, text, start, prompt.size(), making, source);
    }

    /// Cuts the text until the prompt fits. Cutting k tokens off the text need not shorten the prompt by k,
    /// since the shorter text is encoded anew; so try, look, and cut by what is still too much, twice
    /// as much each time so that it ends soon whatever the text.
    ///
    /// @param start what of the text's start has been looked at
    /// @param promptTokens tokens of the prompt with `start` for the text
    private EncodedPrompt shortened(
            Row row, String text, String start, int promptTokens, Making making, Source source) {
        Room room = making.room();
        OverlongPolicy policy = recipe.prompt().overlong();
        int uses = template.textUses();
        boolean mayBeCut =
                making.format() != PromptFormat.MESSAGES && recipe.prompt().format() != PromptFormat.OPENAI;
        if (policy != OverlongPolicy.ERROR && uses > 0 && mayBeCut) {
            TokenIds startTokens = engine.encodeText(start);
            Ends ends = new Ends(start, startTokens, "", TokenIds.EMPTY);
            if (policy != OverlongPolicy.TRUNCATE_END) {
                String last = end(text, false, room);
                ends = new Ends(start, startTokens, last, last.equals(start) ? startTokens : engine.encodeText(last));
            }
            int looked =
                    policy == OverlongPolicy.TRUNCATE_START ? ends.lastTokens().size() : startTokens.size();
            int keep = looked - Math.ceilDiv(promptTokens - room.tokens(), uses);
            for (int round = 0; keep > 0; round++) {
                EncodedPrompt prompt = encode(row, ends.kept(keep, policy, engine::decode), making, source);
                if (prompt.size() <= room.tokens()) {
                    return prompt;
                }
                long cut = (long) Math.ceilDiv(prompt.size() - room.tokens(), uses) << Math.min(round, 30);
                keep = (int) Math.max(0, keep - cut);
            }
        }
        throw refused(
                RowFault.PROMPT_TOO_LONG,
                "expected a prompt of at most " + room.tokens() + " tokens, got "
                        + (start.length() < text.length() ? "at least " : "") + promptTokens + " (overlong: "
                        + policy.wireName() + ")",
                source);
    }

    /// The text's first or last characters, as many as are looked at; never half a surrogate pair.
    private static String end(String text, boolean first, Room room) {
        if (text.length() <= room.chars()) {
            return text;
        }
        int cut = first ? room.chars() : text.length() - room.chars();
        if (Character.isLowSurrogate(text.charAt(cut)) && Character.isHighSurrogate(text.charAt(cut - 1))) {
            cut += first ? -1 : 1;
        }
        return first ? text.substring(0, cut) : text.substring(cut);
    }

    /// Both ends of a text, encoded; they may overlap, or be the whole text twice.
    private record Ends(String first, TokenIds firstTokens, String last, TokenIds lastTokens) {

        String kept(int keep, OverlongPolicy policy, Function<TokenIds, String> decode) {
            if (policy == OverlongPolicy.TRUNCATE_END) {
                return TokenCut.head(first, firstTokens, keep, decode);
            }
            if (policy == OverlongPolicy.TRUNCATE_START) {
                return TokenCut.tail(last, lastTokens, keep, decode);
            }
            int head = (keep + 1) / 2;
            return TokenCut.head(first, firstTokens, head, decode)
                    + OMISSION
                    + TokenCut.tail(last, lastTokens, keep - head, decode);
        }
    }

    private static RowRefusedException refused(RowFault fault, String reason, Source source) {
        return new RowRefusedException(fault, placed(reason, source));
    }

    private static String placed(String reason, Source source) {
        RowIdentity at = source.identity();
        return reason + " (" + at.file() + ", row group " + at.rowGroup() + ", row " + at.row() + ")";
    }

    /// What of the input row the output row repeats or measures. Not the text: many rows wait at a time.
    ///
    /// @param seed of the row's random numbers
    /// @param isChat whether the prompt is a conversation, not a text to go on with
    /// @param chars code points of the text, 0 without one
    /// @param start what of the text its language is told from
    /// @param raw what an error row keeps of the text or the record
    public record Source(
            RowIdentity identity,
            long seed,
            boolean isChat,
            @Nullable String customId,
            int chars,
            String start,
            @Nullable String reference,
            @Nullable String raw) {

        Source withSeed(long other) {
            return new Source(identity, other, isChat, customId, chars, start, reference, raw);
        }
    }

    /// What became of a row before the engine saw it.
    public sealed interface Prompt {
        Source source();

        record Ready(Source source, PromptRequest request) implements Prompt {}

        /// A sample that the row does not have.
        record Skipped(Source source) implements Prompt {}

        /// Continuations to score.
        ///
        /// @param parts how many of the requests each continuation has
        record Scored(Source source, EncodedPrompt prompt, List<ScoringRequest> requests, List<Integer> parts)
                implements Prompt {}

        /// @param kind who has to act, see {@link io.millrace.engine.api.ErrorKind}
        /// @param code stable word
        record Refused(Source source, String kind, String code, String message, boolean retryable) implements Prompt {}
    }
}
