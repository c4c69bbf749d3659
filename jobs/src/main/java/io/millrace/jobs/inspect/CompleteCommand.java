package io.millrace.jobs.inspect;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.LocalEngine;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.SamplingParams;
import io.millrace.engine.api.TokenIds;
import io.millrace.engine.chat.ChatMessages;
import io.millrace.engine.chat.ThinkingMode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `millrace complete`: one prompt, one completion.
@Command(
        name = "complete",
        mixinStandardHelpOptions = true,
        description = "Completes one prompt and prints the text, or everything with --json.")
public final class CompleteCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Mixin
    private ModelOption model = new ModelOption();

    @ArgGroup(multiplicity = "1")
    private Prompt prompt = new Prompt();

    @Option(
            names = "--thinking",
            paramLabel = "MODE",
            defaultValue = "chat",
            description = "With --chat: chat, thinking or thinking_max. Default: ${DEFAULT-VALUE}.")
    private ThinkingMode thinking = ThinkingMode.CHAT;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            defaultValue = "128",
            description = "Longest completion, in tokens. Default: ${DEFAULT-VALUE}.")
    private int maxTokens;

    @Option(names = "--temperature", paramLabel = "T", defaultValue = "0", description = "0 is greedy. Default: 0.")
    private double temperature;

    @Option(names = "--top-p", paramLabel = "P", defaultValue = "1", description = "In (0, 1]. Default: 1.")
    private double topP;

    @Option(names = "--top-k", paramLabel = "K", defaultValue = "0", description = "0 keeps all. Default: 0.")
    private int topK;

    @Option(names = "--min-p", paramLabel = "P", defaultValue = "0", description = "In [0, 1). Default: 0.")
    private double minP;

    @Option(names = "--seed", paramLabel = "S", defaultValue = "0", description = "Of the random numbers. Default: 0.")
    private long seed;

    @Option(names = "--stop", paramLabel = "TEXT", description = "Ends the completion. Repeatable.")
    private List<String> stop = List.of();

    @Option(names = "--beams", paramLabel = "N", defaultValue = "1", description = "Beam search. Default: 1, none.")
    private int beams;

    @Option(
            names = "--length-penalty",
            paramLabel = "P",
            defaultValue = "0",
            description = "Power of the length by which beam search divides. Default: 0.")
    private double lengthPenalty;

    @Option(names = "--ignore-eos", description = "Go on after the end-of-sequence token.")
    private boolean ignoreEos;

    @Option(names = "--json", description = "Print an object: token_ids, text, finish_reason, token counts, times.")
    private boolean json;

    /// Where the prompt comes from.
    static final class Prompt {

        @Option(names = "--prompt", paramLabel = "TEXT", description = "Plain text to go on with.")
        private @Nullable String text;

        @Option(names = "--chat", paramLabel = "FILE", description = "Messages in OpenAI's JSON form.")
        private @Nullable Path chat;

        @Option(names = "--tokens", paramLabel = "FILE", description = "JSON array of token ids.")
        private @Nullable Path tokens;

        TokenIds encode(LocalEngine engine, ThinkingMode thinking) {
            if (chat != null) {
                return engine.encodeChat(ChatMessages.parse(JsonFiles.text(chat)), thinking);
            }
            return tokens != null ? JsonFiles.tokens(tokens) : engine.encodeText(text == null ? "" : text);
        }
    }

    @Override
    public Integer call() {
        SamplingParams sampling = new SamplingParams(
                temperature, topP, topK, minP, maxTokens, stop, seed, ignoreEos, beams, lengthPenalty);
        try (LocalEngine engine = model.open()) {
            TokenIds ids = prompt.encode(engine, thinking);
            GenerationResult result = engine.submit(new GenerationRequest("complete", ids, sampling))
                    .join();
            return switch (result) {
                case GenerationResult.Completed completed -> print(completed);
                case GenerationResult.Failed failed -> throw new EngineException(failed.code(), failed.message());
            };
        }
    }

    private int print(GenerationResult.Completed completed) {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the spec before it calls the command");
        }
        PrintWriter out = spec.commandLine().getOut();
        out.println(json ? object(completed).toString() : completed.text());
        out.flush();
        return 0;
    }

    private static ObjectNode object(GenerationResult.Completed completed) {
        ObjectNode object = new ObjectMapper().createObjectNode();
        for (int id : completed.tokens().toArray()) {
            object.withArray("token_ids").add(id);
        }
        object.put("text", completed.text());
        object.put("finish_reason", completed.finishReason().wireName());
        object.put("prompt_tokens", completed.usage().promptTokens());
        object.put("cached_tokens", completed.usage().cachedTokens());
        object.put("completion_tokens", completed.usage().completionTokens());
        if (Double.isFinite(completed.meanLogprob())) {
            object.put("mean_logprob", completed.meanLogprob());
        }
        object.put("prefill_ms", completed.timing().prefillMillis());
        object.put("decode_ms", completed.timing().decodeMillis());
        return object;
    }
}
