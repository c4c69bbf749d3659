package io.millrace.udf;

import io.millrace.engine.api.EngineStats;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.FinishReason;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.ModelSummary;
import io.millrace.engine.api.ScoringRequest;
import io.millrace.engine.api.ScoringResult;
import io.millrace.engine.api.TokenIds;
import io.millrace.engine.api.TokenLogprob;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// An engine without a model. A token is a byte of UTF-8, 256 opens and 257 closes the user's turn; the
/// answer is the first twelve bytes of the prompt. Words in the prompt make it misbehave: `REFUSE-ME`,
/// `FLAKY` (fails once), `LOSE-DEVICE`, `HANG` (never answers), `HANGS-ONCE=/a/file` (never answers, unless
/// the file is there; makes it), `NEEDS=/a/file` (fails as long as there is no such file), `BREAK-ENCODER`,
/// `LOOPS-BELOW=0.8` (says one word over and over below that temperature), `NEEDS-WHEN-HOT=/a/file` (above
/// temperature 0 loses its device as long as there is no such file), `HANGS-WHEN-HOT=/a/file` (above it
/// never answers, unless the file is there; makes it). A continuation's tokens have the
/// probability exp(-0.5) each; it is greedy if the prompt holds it.
public final class FakeEngine implements PromptEngine {
    static final int OPEN = 256;
    static final int CLOSE = 257;
    static final int MAX_POSITIONS = 512;
    static final int ANSWER_BYTES = 12;
    private static final String NEEDS = "NEEDS=";
    private static final String NEEDS_WHEN_HOT = "NEEDS-WHEN-HOT=";
    private static final String HANGS_WHEN_HOT = "HANGS-WHEN-HOT=";
    private static final String LOOPS_BELOW = "LOOPS-BELOW=";
    private static final String LOOP = "loop ".repeat(9);
    private static final String HANGS_ONCE = "HANGS-ONCE=";

    private final EngineRecipe recipe;
    private final ExecutorService workers = Executors.newFixedThreadPool(
            2, Thread.ofPlatform().name("fake-engine-", 0).daemon().factory());
    private final Set<String> seen = ConcurrentHashMap.newKeySet();
    private final AtomicLong promptTokens = new AtomicLong();
    private final AtomicLong completionTokens = new AtomicLong();
    private final AtomicLong answers = new AtomicLong();
    private final AtomicInteger longestEncoded = new AtomicInteger();
    private volatile boolean closed;

    FakeEngine(EngineRecipe recipe) {
        this.recipe = recipe;
    }

    boolean isClosed() {
        return closed;
    }

    /// Characters of the longest text that was encoded.
    int longestEncoded() {
        return longestEncoded.get();
    }

    @Override
    public ModelSummary model() {
        return new ModelSummary(recipe.modelDir(), "0".repeat(64), "f32", 10, 5, MAX_POSITIONS, 258, recipe.ring());
    }

    @Override
    public TokenIds beginning() {
        return TokenIds.of(OPEN);
    }

    @Override
    public CompletableFuture<GenerationResult> submit(GenerationRequest request) {
        String prompt = decode(request.prompt());
        if (hangs(prompt, request.sampling().temperature())) {
            return new CompletableFuture<>();
        }
        return CompletableFuture.supplyAsync(() -> answer(request), workers);
    }

    @Override
    public CompletableFuture<ScoringResult> score(ScoringRequest request) {
        int size = request.continuation().size();
        String prompt = decode(request.prompt());
        boolean refused = prompt.contains("REFUSE-ME");
        boolean flaky = prompt.contains("FLAKY") && seen.add(request.id());
        return CompletableFuture.completedFuture(
                refused || flaky
                        ? new GenerationResult.Failed(
                                request.id(),
                                refused ? ErrorCode.INVALID_REQUEST : ErrorCode.INTERNAL,
                                "not scored, as asked")
                        : new ScoringResult.Scored(
                                request.id(),
                                -size / 2.0,
                                Collections.nCopies(size, -0.5),
                                prompt.contains(decode(request.continuation())),
                                new GenerationResult.Usage(request.prompt().size(), 0, size),
                                new GenerationResult.Timing(1, 2, 3)));
    }

    private static boolean hangs(String prompt, double temperature) {
        if (prompt.contains(HANGS_WHEN_HOT)) {
            return temperature > 0 && hangsOnce(HANGS_WHEN_HOT, prompt);
        }
        return prompt.contains(HANGS_ONCE) ? hangsOnce(HANGS_ONCE, prompt) : prompt.contains("HANG");
    }

    private static boolean hangsOnce(String word, String prompt) {
        Path mark = file(word, prompt);
        try {
            if (mark != null) {
                Files.createFile(mark);
            }
            return mark != null;
        } catch (FileAlreadyExistsException _) {
            return false;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The file that a word of the prompt names; null if the word is not there.
    private static @Nullable Path file(String word, String prompt) {
        int at = prompt.indexOf(word);
        if (at < 0) {
            return null;
        }
        String rest = prompt.substring(at + word.length());
        int end = rest.indexOf("</user>");
        // of a text to go on with, up to the next space
        return Path.of(end < 0 ? rest.split("\\s", 2)[0] : rest.substring(0, end));
    }

    private GenerationResult answer(GenerationRequest request) {
        answers.incrementAndGet();
        String prompt = decode(request.prompt());
        boolean first = seen.add(request.id());
        if (prompt.contains("REFUSE-ME")) {
            return new GenerationResult.Failed(request.id(), ErrorCode.INVALID_REQUEST, "refused as asked");
        }
        if (prompt.contains("FLAKY") && first) {
            return new GenerationResult.Failed(request.id(), ErrorCode.INTERNAL, "failed once as asked");
        }
        Path needed = file(NEEDS, prompt);
        if (needed != null && !Files.exists(needed)) {
            return new GenerationResult.Failed(request.id(), ErrorCode.INTERNAL, "failed for want of a file, as asked");
        }
        if (prompt.contains("LOSE-DEVICE")) {
            return new GenerationResult.Failed(request.id(), ErrorCode.DEVICE_FAILED, "device lost as asked");
        }
        double temperature = request.sampling().temperature();
        Path neededHot = file(NEEDS_WHEN_HOT, prompt);
        if (neededHot != null && temperature > 0 && !Files.exists(neededHot)) {
            return new GenerationResult.Failed(request.id(), ErrorCode.DEVICE_FAILED, "no device when hot, as asked");
        }
        TokenIds text = textOf(request.prompt());
        TokenIds tokens =
                loops(prompt, temperature) ? encodeText(LOOP) : text.head(Math.min(ANSWER_BYTES, text.size()));
        promptTokens.addAndGet(request.prompt().size());
        completionTokens.addAndGet(tokens.size());
        return new GenerationResult.Completed(
                request.id(),
                tokens,
                decode(tokens),
                FinishReason.STOP,
                -0.5,
                new GenerationResult.Usage(request.prompt().size(), 0, tokens.size()),
                new GenerationResult.Timing(1, 2, 3),
                logprobs(tokens, request.sampling().logprobs()));
    }

    /// Every token is as likely as the one that is a bit away.
    private List<TokenLogprob> logprobs(TokenIds tokens, int top) {
        List<TokenLogprob> told = new ArrayList<>();
        for (int at = 0; top >= 0 && at < tokens.size(); at++) {
            List<TokenLogprob.Likely> likeliest = new ArrayList<>();
            for (int rank = 0; rank < top; rank++) {
                int token = tokens.get(at) ^ rank;
                likeliest.add(new TokenLogprob.Likely(token, decode(TokenIds.of(token)), -0.5));
            }
            told.add(new TokenLogprob(tokens.get(at), decode(TokenIds.of(tokens.get(at))), -0.5, likeliest));
        }
        return told;
    }

    private static boolean loops(String prompt, double temperature) {
        int at = prompt.indexOf(LOOPS_BELOW);
        return at >= 0
                && temperature < Double.parseDouble(prompt.substring(at + LOOPS_BELOW.length()).split("[ <]")[0]);
    }

    /// A turn without what marks its ends; a text to go on with is all of it.
    private static TokenIds textOf(TokenIds prompt) {
        if (prompt.get(0) != OPEN) {
            return prompt;
        }
        int[] ids = new int[prompt.size() - 2];
        for (int at = 0; at < ids.length; at++) {
            ids[at] = prompt.get(at + 1);
        }
        return TokenIds.of(ids);
    }

    @Override
    public TokenIds encodeChat(@Nullable String system, String user, Thinking thinking) {
        TokenIds text = encodeText(system == null ? user : system + user);
        int[] ids = new int[text.size() + 2];
        ids[0] = OPEN;
        System.arraycopy(text.toArray(), 0, ids, 1, text.size());
        ids[ids.length - 1] = CLOSE;
        return TokenIds.of(ids);
    }

    @Override
    public TokenIds encodeText(String text) {
        longestEncoded.accumulateAndGet(text.length(), Math::max);
        if (text.contains("BREAK-ENCODER")) {
            throw new IllegalStateException("broken as asked");
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int[] ids = new int[bytes.length];
        for (int at = 0; at < bytes.length; at++) {
            ids[at] = bytes[at] & 0xFF;
        }
        return TokenIds.of(ids);
    }

    @Override
    public String decode(TokenIds tokens) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int id : tokens.toArray()) {
            byte[] token = id == OPEN
                    ? "<user>".getBytes(StandardCharsets.UTF_8)
                    : id == CLOSE ? "</user>".getBytes(StandardCharsets.UTF_8) : new byte[] {(byte) id};
            bytes.writeBytes(token);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Override
    public Answer answer(GenerationResult.Completed completed, Thinking thinking) {
        return new Answer(completed.text(), null, 0);
    }

    @Override
    public String revision() {
        return "test";
    }

    @Override
    public EngineIdentity identity() {
        return new EngineIdentity(
                recipe.modelDir(),
                revision(),
                model().weightsSha256(),
                "1".repeat(64),
                model().quantization(),
                recipe.ring(),
                "2".repeat(64));
    }

    /// Tells processes apart.
    @Override
    public String device() {
        return "fake-" + ProcessHandle.current().pid();
    }

    @Override
    public EngineStats stats() {
        return new EngineStats(
                promptTokens.get(), 0, completionTokens.get(), 0, 0, answers.get(), 0, 0, 0, 0, 0, 0, 0, 0);
    }

    @Override
    public void close() {
        closed = true;
        workers.shutdownNow();
    }
}
