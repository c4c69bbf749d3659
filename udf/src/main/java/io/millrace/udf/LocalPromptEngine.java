package io.millrace.udf;

import io.millrace.engine.LocalEngine;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.EngineStats;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.ExpertLoad;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.ModelSummary;
import io.millrace.engine.api.ScoringRequest;
import io.millrace.engine.api.ScoringResult;
import io.millrace.engine.api.TokenIds;
import io.millrace.engine.chat.ChatMessage;
import io.millrace.engine.chat.ChatMessages;
import io.millrace.engine.chat.DeepSeekV4Chat;
import io.millrace.engine.chat.PromptText;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// A {@link LocalEngine} with the chat format of its model.
final class LocalPromptEngine implements PromptEngine {
    private static final String BEGIN = "<｜begin▁of▁sentence｜>";
    private static final String END_THINK = "</think>";
    /// The Hub keeps a revision in a folder `snapshots/<commit>`.
    private static final String SNAPSHOTS = "snapshots";
    private static final String TOKENIZER = "tokenizer.json";
    private static final int PROBE_TOKENS = 24;
    /// A prime.
    private static final int PROBE_STRIDE = 7919;

    private final LocalEngine engine;
    private final ModelSummary model;
    private final String revision;
    private final EngineIdentity identity;

    /// @param engine just opened: it computes a few logits here, which it cannot beside requests
    LocalPromptEngine(LocalEngine engine, Path modelDir) {
        this.engine = engine;
        this.model = shortRing(engine.model());
        this.revision = revision(modelDir.toAbsolutePath().normalize());
        this.identity = new EngineIdentity(
                model.name(),
                revision,
                model.weightsSha256(),
                tokenizerSha256(modelDir, model.weightsSha256()),
                model.quantization(),
                model.ring(),
                logitsSha256(engine));
    }

    private static String tokenizerSha256(Path modelDir, String weightsSha256) {
        Path file = modelDir.resolve(TOKENIZER);
        try {
            return Files.exists(file) ? RowIdentity.sha256Hex(Files.readAllBytes(file)) : weightsSha256;
        } catch (IOException e) {
            throw new EngineException(
                    ErrorCode.MODEL_UNREADABLE, file + ": expected to be readable, got " + e.getMessage(), e);
        }
    }

    /// Tokens spread over the vocabulary; more of them than one block of any product's rows.
    private static String logitsSha256(LocalEngine engine) {
        int vocabSize = engine.model().vocabSize();
        int[] tokens = new int[Math.min(PROBE_TOKENS, engine.model().maxPositions())];
        Arrays.setAll(tokens, position -> (int) ((position + 1L) * PROBE_STRIDE % vocabSize));
        float[][] logits = engine.logits(tokens);
        ByteBuffer bits = ByteBuffer.allocate(tokens.length * vocabSize * Float.BYTES);
        for (float[] row : logits) {
            bits.asFloatBuffer().put(row);
            bits.position(bits.position() + row.length * Float.BYTES);
        }
        return RowIdentity.sha256Hex(bits.array());
    }

    /// Rows name the ring only; how many threads it had cannot change an answer.
    private static ModelSummary shortRing(ModelSummary summary) {
        return new ModelSummary(
                summary.name(),
                summary.weightsSha256(),
                summary.quantization(),
                summary.parametersTotal(),
                summary.parametersActive(),
                summary.maxPositions(),
                summary.vocabSize(),
                summary.ring().split("[:,]", 2)[0]);
    }

    private static String revision(Path modelDir) {
        Path parent = modelDir.getParent();
        boolean snapshot = parent != null && parent.endsWith(SNAPSHOTS);
        return snapshot ? String.valueOf(modelDir.getFileName()) : "local";
    }

    @Override
    public ModelSummary model() {
        return model;
    }

    @Override
    public CompletableFuture<GenerationResult> submit(GenerationRequest request) {
        return engine.submit(request);
    }

    @Override
    public CompletableFuture<ScoringResult> score(ScoringRequest request) {
        return engine.score(request);
    }

    @Override
    public EngineStats stats() {
        return engine.stats();
    }

    @Override
    public ExpertLoad expertLoad() {
        return engine.expertLoad();
    }

    @Override
    public TokenIds encodeChat(@Nullable String system, String user, Thinking thinking) {
        List<ChatMessage> messages = new ArrayList<>(2);
        if (system != null) {
            messages.add(ChatMessage.system(system));
        }
        messages.add(ChatMessage.user(user));
        return engine.encodeChat(messages, thinking.mode());
    }

    @Override
    public EncodedPrompt messages(String json, Thinking thinking) {
        return new EncodedPrompt.Tokens(engine.encodeChat(ChatMessages.parse(json), thinking.mode()));
    }

    @Override
    public EncodedPrompt.Begun beginCall(EncodedPrompt prompt, @Nullable String tool) {
        if (!(prompt instanceof EncodedPrompt.Tokens(TokenIds ids))) {
            throw new IllegalArgumentException("not a prompt of this engine: " + prompt);
        }
        PromptText begun = DeepSeekV4Chat.beginCall(tool);
        int[] more = begun.encodeIds(engine.tokenizer());
        int[] all = Arrays.copyOf(ids.toArray(), ids.size() + more.length);
        System.arraycopy(more, 0, all, ids.size(), more.length);
        return new EncodedPrompt.Begun(new EncodedPrompt.Tokens(TokenIds.of(all)), begun.render());
    }

    /// What does not follow the format stays text, and is told of.
    @Override
    public Answer answer(GenerationResult.Completed completed, Reading reading) {
        Answer plain = answer(completed, reading.thinking());
        String whole = reading.begun() + completed.text();
        if (!reading.isChat() || !DeepSeekV4Chat.hasCalls(whole)) {
            return plain;
        }
        try {
            ChatMessage message =
                    DeepSeekV4Chat.parseAnswer(whole, reading.thinking().mode());
            return new Answer(message.content(), plain.reasoning(), plain.reasoningTokens(), message.toolCalls(), null);
        } catch (EngineException e) {
            return new Answer(
                    reading.begun() + plain.text(),
                    plain.reasoning(),
                    plain.reasoningTokens(),
                    List.of(),
                    e.getMessage());
        }
    }

    @Override
    public EncodedPrompt controlText(String text) {
        return new EncodedPrompt.Tokens(TokenIds.of(engine.tokenizer().encodeWithControlTokens(text)));
    }

    @Override
    public TokenIds encodeText(String text) {
        return engine.encodeText(text);
    }

    @Override
    public TokenIds beginning() {
        OptionalInt token = engine.tokenizer().controlId(BEGIN);
        return token.isPresent() ? TokenIds.of(token.getAsInt()) : PromptEngine.super.beginning();
    }

    @Override
    public String decode(TokenIds tokens) {
        return engine.decode(tokens);
    }

    /// In thinking mode everything up to `</think>` is reasoning; a completion cut before it is reasoning
    /// only.
    @Override
    public Answer answer(GenerationResult.Completed completed, Thinking thinking) {
        if (thinking == Thinking.CHAT) {
            return new Answer(completed.text(), null, 0);
        }
        int at = completed.text().indexOf(END_THINK);
        return at < 0
                ? new Answer("", completed.text(), completed.tokens().size())
                : new Answer(
                        completed.text().substring(at + END_THINK.length()),
                        completed.text().substring(0, at),
                        reasoningTokens(completed.tokens()));
    }

    /// Tokens up to the one that ends the reasoning, that one included.
    private int reasoningTokens(TokenIds tokens) {
        OptionalInt end = engine.tokenizer().controlId(END_THINK);
        for (int at = 0; at < tokens.size(); at++) {
            if (end.isPresent() && tokens.get(at) == end.getAsInt()) {
                return at + 1;
            }
        }
        return tokens.size();
    }

    @Override
    public String revision() {
        return revision;
    }

    @Override
    public EngineIdentity identity() {
        return identity;
    }

    @Override
    public String device() {
        return engine.device();
    }

    @Override
    public void close() {
        engine.close();
    }
}
