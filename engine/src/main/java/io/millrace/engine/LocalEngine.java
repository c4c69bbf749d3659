package io.millrace.engine;

import io.millrace.engine.api.Engine;
import io.millrace.engine.api.EngineConfig;
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
import io.millrace.engine.api.TokenListener;
import io.millrace.engine.cache.SequenceCache;
import io.millrace.engine.chat.ChatMessage;
import io.millrace.engine.chat.ChatOptions;
import io.millrace.engine.chat.DeepSeekV4Chat;
import io.millrace.engine.chat.ThinkingMode;
import io.millrace.engine.checkpoint.Checkpoint;
import io.millrace.engine.checkpoint.GgufMetadata;
import io.millrace.engine.checkpoint.ParameterCount;
import io.millrace.engine.decode.DecodeLoop;
import io.millrace.engine.device.Devices;
import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.model.LanguageModel;
import io.millrace.engine.model.LanguageModelConfig;
import io.millrace.engine.model.ModelConfig;
import io.millrace.engine.model.Step;
import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tokenizer.BpeTokenizer;
import io.millrace.engine.tokenizer.GgufVocabulary;
import io.millrace.engine.tokenizer.Tokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// An engine in this JVM: opens a model folder or a GGUF file, owns its mapping, its worker threads and its
/// running batch, and closes them in the opposite order. Thread-safe.
public final class LocalEngine implements Engine {
    private static final System.Logger LOG = System.getLogger(LocalEngine.class.getName());
    private static final String TOKENIZER = "tokenizer.json";
    private static final String GGUF_TOKENIZER = "tokenizer.ggml.";

    private final EngineConfig config;
    private final Checkpoint checkpoint;
    private final Kernels kernels;
    private final Supplier<LanguageModel> models;
    private final @Nullable Tokenizer tokenizer;
    private final DecodeLoop loop;
    private final ModelSummary summary;

    private LocalEngine(EngineConfig config, Checkpoint checkpoint, Kernels kernels) {
        this.config = config;
        this.checkpoint = checkpoint;
        this.kernels = kernels;
        this.models = Architectures.bind(checkpoint, kernels, config.cacheRounding());
        this.tokenizer = readTokenizer(checkpoint);
        this.summary = summarise(checkpoint, kernels);
        this.loop = new DecodeLoop(models.get(), tokenizer, config);
    }

    /// Name of the device that computes: `cpu`, `npu`.
    public String device() {
        return Devices.of(config.ring());
    }

    /// Opens a model folder or a GGUF file.
    ///
    /// @throws EngineException if the folder or a file in it is unreadable, damaged or inconsistent, or a
    ///     setting is out of range
    public static LocalEngine open(EngineConfig config) {
        Kernels kernels = Devices.open(config.ring(), config.threads());
        Checkpoint checkpoint = null;
        try {
            checkpoint = Checkpoint.open(config.modelDir());
            LocalEngine engine = new LocalEngine(config, checkpoint, kernels);
            engine.loop.start();
            LOG.log(System.Logger.Level.INFO, "opened {0}", engine.summary);
            return engine;
        } catch (RuntimeException e) {
            if (checkpoint != null) {
                checkpoint.close();
            }
            kernels.close();
            throw e;
        }
    }

    private static @Nullable Tokenizer readTokenizer(Checkpoint checkpoint) {
        GgufMetadata metadata = checkpoint.metadata();
        if (metadata != null) {
            return readTokenizer(metadata);
        }
        Path file = checkpoint.path().resolve(TOKENIZER);
        return Files.exists(file) ? BpeTokenizer.read(file) : null;
    }

    /// A file may come without a tokenizer, and says so in two ways.
    private static @Nullable Tokenizer readTokenizer(GgufMetadata metadata) {
        String model = metadata.text(GGUF_TOKENIZER + "model");
        if (model == null || model.equals("none") || model.equals("no_vocab")) {
            return null;
        }
        if (!model.equals("gpt2")) {
            throw new EngineException(
                    ErrorCode.MODEL_MISMATCH,
                    metadata.file() + ": " + GGUF_TOKENIZER + "model: expected gpt2, got \"" + model + "\"");
        }
        return BpeTokenizer.of(new GgufVocabulary(
                metadata.file(),
                metadata.requiredText(GGUF_TOKENIZER + "pre"),
                metadata.texts(GGUF_TOKENIZER + "tokens"),
                metadata.integers(GGUF_TOKENIZER + "token_type"),
                metadata.texts(GGUF_TOKENIZER + "merges")));
    }

    private static ModelSummary summarise(Checkpoint checkpoint, Kernels kernels) {
        LanguageModelConfig model = checkpoint.model();
        ParameterCount parameters = ParameterCount.of(model);
        return new ModelSummary(
                checkpoint.name(),
                checkpoint.weightsSha256(),
                checkpoint.quantization(),
                parameters.total(),
                parameters.active(),
                model.maxPositionEmbeddings(),
                model.vocabSize(),
                kernels.description());
    }

    @Override
    public ModelSummary model() {
        return summary;
    }

    @Override
    public CompletableFuture<GenerationResult> submit(GenerationRequest request) {
        return loop.submit(request);
    }

    /// As {@link #submit(GenerationRequest)}, and tells the tokens as they are chosen; beam search has
    /// none to tell.
    public CompletableFuture<GenerationResult> submit(GenerationRequest request, TokenListener listener) {
        return loop.submit(request, listener);
    }

    @Override
    public CompletableFuture<ScoringResult> score(ScoringRequest request) {
        return loop.score(request);
    }

    @Override
    public EngineStats stats() {
        return loop.stats();
    }

    @Override
    public ExpertLoad expertLoad() {
        return loop.expertLoad();
    }

    /// @throws EngineException MODEL_UNREADABLE if the folder has no tokenizer.json
    public Tokenizer tokenizer() {
        if (tokenizer == null) {
            throw new EngineException(
                    ErrorCode.MODEL_UNREADABLE,
                    checkpoint.metadata() == null
                            ? checkpoint.path().resolve(TOKENIZER) + ": expected a tokenizer, got no such file"
                            : checkpoint.path() + ": " + GGUF_TOKENIZER + "model: expected a tokenizer, got none");
        }
        return tokenizer;
    }

    /// The prompt of a conversation in the model's chat encoding; what messages spell never becomes a
    /// control token.
    ///
    /// @throws EngineException INVALID_REQUEST if no chat encoding is known for the model's architecture
    public TokenIds encodeChat(List<ChatMessage> messages, ThinkingMode mode) {
        if (!(checkpoint.model() instanceof ModelConfig)) {
            throw new EngineException(
                    ErrorCode.INVALID_REQUEST,
                    "chat encoding: expected a deepseek_v4 model, got "
                            + checkpoint.model().modelType() + "; give it text or token ids");
        }
        return TokenIds.of(DeepSeekV4Chat.encode(messages, ChatOptions.of(mode)).encodeIds(tokenizer()));
    }

    /// Ordinary text, nothing put before or behind it.
    public TokenIds encodeText(String text) {
        return TokenIds.of(tokenizer().encodeText(text));
    }

    public String decode(TokenIds ids) {
        return tokenizer().decode(ids.toArray());
    }

    /// Bytes of cache that one sequence of that many tokens takes.
    public long cacheBytes(int tokens) {
        return checkpoint.model().cacheBytes(tokens);
    }

    /// Next-token logits at every position, computed in steps of the configured size. For looking inside;
    /// not to be called while requests run, since it shares their worker threads.
    ///
    /// @param tokens at least one
    /// @return [tokens.length][vocabSize]
    public float[][] logits(int[] tokens) {
        checkTokens(tokens);
        LanguageModel model = models.get();
        SequenceCache cache = model.newCache();
        int vocab = checkpoint.model().vocabSize();
        float[][] all = new float[tokens.length][vocab];
        for (int from = 0; from < tokens.length; from += config.stepTokens()) {
            int count = Math.min(config.stepTokens(), tokens.length - from);
            Step step = new Step();
            step.add(cache, tokens, from, count);
            Floats logits =
                    model.logits(model.forward(step), IntStream.range(0, count).toArray());
            for (int i = 0; i < count; i++) {
                model.read(logits, i * vocab, all[from + i], vocab);
            }
        }
        return all;
    }

    private void checkTokens(int[] tokens) {
        LanguageModelConfig model = checkpoint.model();
        if (tokens.length == 0 || tokens.length > model.maxPositionEmbeddings()) {
            throw new EngineException(
                    ErrorCode.INVALID_REQUEST,
                    "tokens: expected 1 to " + model.maxPositionEmbeddings() + " ids, got " + tokens.length);
        }
        if (Arrays.stream(tokens).anyMatch(token -> token < 0 || token >= model.vocabSize())) {
            throw new EngineException(
                    ErrorCode.INVALID_REQUEST,
                    "tokens: expected ids in [0, " + model.vocabSize() + "), got " + Arrays.toString(tokens));
        }
    }

    @Override
    public void close() {
        loop.close();
        kernels.close();
        checkpoint.close();
    }
}
