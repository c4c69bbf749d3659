package io.millrace.udf;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.engine.api.FinishReason;
import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.api.ModelSummary;
import io.millrace.engine.api.TokenIds;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Says what a script says. The model folder is a JSON file: a list of `{"when": PATTERN, "say": [ANSWER,
/// …]}`. Of the first pattern that is found in the prompt, the answer is one of the list, chosen by the
/// request's seed; `$1` in it is the pattern's first group. `finish` may be `length`. What no pattern is
/// found in is answered as {@link FakeEngine} does. How many requests were answered is counted over all
/// engines of the process.
final class SayingEngine extends ForwardingEngine {
    private static final int MAX_POSITIONS = 1 << 16;
    private static final AtomicLong ANSWERED = new AtomicLong();

    private final List<Line> script = new ArrayList<>();

    private record Line(Pattern when, List<String> say, FinishReason finish) {}

    SayingEngine(EngineRecipe recipe) {
        super(new FakeEngine(recipe));
        try {
            for (JsonNode line : new ObjectMapper().readTree(Files.readString(Path.of(recipe.modelDir())))) {
                List<String> say = new ArrayList<>();
                line.path("say").forEach(answer -> say.add(answer.asText()));
                script.add(new Line(
                        Pattern.compile(line.path("when").asText(), Pattern.DOTALL),
                        say,
                        line.path("finish").asText().equals("length") ? FinishReason.LENGTH : FinishReason.STOP));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static long answered() {
        return ANSWERED.get();
    }

    @Override
    public ModelSummary model() {
        ModelSummary fake = super.model();
        return new ModelSummary(
                "saying",
                fake.weightsSha256(),
                fake.quantization(),
                fake.parametersTotal(),
                fake.parametersActive(),
                MAX_POSITIONS,
                fake.vocabSize(),
                fake.ring());
    }

    @Override
    public CompletableFuture<GenerationResult> submit(GenerationRequest request) {
        ANSWERED.incrementAndGet();
        String prompt = decode(request.prompt());
        for (Line line : script) {
            Matcher matcher = line.when().matcher(prompt);
            if (matcher.find()) {
                int at = (int) Math.floorMod(request.sampling().seed(), (long) line.say().size());
                String answer = line.say().get(at);
                String filled = matcher.groupCount() > 0 ? answer.replace("$1", matcher.group(1)) : answer;
                return CompletableFuture.completedFuture(completed(request, filled, line.finish()));
            }
        }
        return super.submit(request);
    }

    private GenerationResult completed(GenerationRequest request, String text, FinishReason finish) {
        TokenIds tokens = encodeText(text);
        return new GenerationResult.Completed(
                request.id(),
                tokens,
                text,
                finish,
                -0.5,
                new GenerationResult.Usage(request.prompt().size(), 0, tokens.size()),
                new GenerationResult.Timing(1, 2, 3));
    }
}
