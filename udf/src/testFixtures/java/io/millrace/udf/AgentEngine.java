package io.millrace.udf;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.api.FinishReason;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.ModelSummary;
import io.millrace.engine.api.TokenIds;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/// An engine that does as it is told: its task holds a line for each turn, a command, which it says in
/// a block of its own; a line `SAY text` is said without one. A task may begin with lines that are
/// about the engine:
///
/// - `#calls FILE`: each answer adds a line to the file
/// - `#halt-once FILE TURN`: before it answers in that turn, the JVM is gone, unless the file is there;
///   makes it
/// - `#lose-device-once FILE TURN`: its device fails before it answers in that turn, likewise
///
/// A character of the conversation is a token.
final class AgentEngine extends ForwardingEngine {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int HALTED = 137;
    private static final int MAX_POSITIONS = 1 << 20;

    AgentEngine(EngineRecipe recipe) {
        super(new FakeEngine(recipe));
    }

    /// As of a model that takes long texts.
    @Override
    public ModelSummary model() {
        ModelSummary fake = super.model();
        return new ModelSummary(
                fake.name(),
                fake.weightsSha256(),
                fake.quantization(),
                fake.parametersTotal(),
                fake.parametersActive(),
                MAX_POSITIONS,
                fake.vocabSize(),
                fake.ring());
    }

    @Override
    public EncodedPrompt messages(String json, Thinking thinking) {
        return new EncodedPrompt.Messages(json, thinking);
    }

    @Override
    public CompletableFuture<GenerationResult> submit(PromptRequest request) {
        return CompletableFuture.supplyAsync(() -> answer(request));
    }

    private static GenerationResult answer(PromptRequest request) {
        if (!(request.prompt() instanceof EncodedPrompt.Messages(String json, Thinking _))) {
            throw new IllegalArgumentException("not a conversation: " + request.prompt());
        }
        JsonNode messages = messages(json);
        List<String> task = messages.get(0).path("content").asText().lines().toList();
        List<String> lines =
                task.stream().filter(line -> !line.startsWith("#")).toList();
        int turn = turns(messages);
        for (String about : task.stream().filter(line -> line.startsWith("#")).toList()) {
            String[] words = about.split(" ");
            if (words[0].equals("#calls")) {
                append(Path.of(words[1]), turn);
            } else if (turn == Integer.parseInt(words[2]) && isFirst(Path.of(words[1]))) {
                if (words[0].equals("#halt-once")) {
                    Runtime.getRuntime().halt(HALTED);
                }
                return new GenerationResult.Failed(request.id(), ErrorCode.DEVICE_FAILED, "device lost as asked");
            }
        }
        String line = turn < lines.size() ? lines.get(turn) : "SAY nothing is left";
        String said = line.startsWith("SAY ") ? line.substring(4) : "Next.\n\n```bash\n" + line + "\n```";
        return new GenerationResult.Completed(
                request.id(),
                TokenIds.EMPTY,
                said,
                FinishReason.STOP,
                -0.5,
                new GenerationResult.Usage(json.length(), 0, said.length()),
                new GenerationResult.Timing(1, 2, 3));
    }

    /// Turns taken: what was said, and what was said in vain, of which only the reply is there.
    private static int turns(JsonNode messages) {
        int turns = 0;
        for (JsonNode message : messages) {
            boolean inVain = message.path("content").asText().contains("<error>");
            turns += inVain || message.path("role").asText().equals("assistant") ? 1 : 0;
        }
        return turns;
    }

    private static JsonNode messages(String json) {
        try {
            return JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void append(Path file, int turn) {
        try {
            Files.writeString(file, turn + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isFirst(Path mark) {
        try {
            Files.createFile(mark);
            return true;
        } catch (FileAlreadyExistsException _) {
            return false;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
