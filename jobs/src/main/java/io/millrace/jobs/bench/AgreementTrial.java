package io.millrace.jobs.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.LocalEngine;
import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineConfig;
import io.millrace.engine.checkpoint.Checkpoint;
import io.millrace.engine.model.LanguageModelConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/// Whether we say what llama.cpp says: it goes on greedily with random prompts, and we are asked for each
/// of its tokens which one we would have chosen after the same ones. Both with activations and caches in
/// float.
final class AgreementTrial implements Trial {
    private static final int PROMPTS = 10;
    private static final int PROMPT = 16;
    private static final int TOKENS = 100;
    private static final double BAR = 0.99;

    private final Path model;
    private final Path tools;
    private final int threads;
    private final RandomGenerator random =
            RandomGeneratorFactory.of("L64X128MixRandom").create(20261122);

    /// @param tools folder with llama-server
    AgreementTrial(Path model, Path tools, int threads) {
        this.model = model;
        this.tools = tools;
        this.threads = threads;
    }

    @Override
    public ObjectNode run() throws IOException {
        LanguageModelConfig config = config();
        List<int[]> texts = new ArrayList<>();
        try (LlamaServer server = LlamaServer.start(tools, model, threads, PROMPT + TOKENS)) {
            for (int prompt = 0; prompt < PROMPTS; prompt++) {
                texts.add(server.goOn(random.ints(PROMPT, 2, config.vocabSize()).toArray(), TOKENS));
            }
        }
        List<Integer> eos = config.eosTokenIds();
        int asked = 0;
        int agreed = 0;
        try (LocalEngine engine = LocalEngine.open(exact())) {
            for (int[] text : texts) {
                float[][] logits = engine.logits(text);
                for (int at = PROMPT; at < text.length; at++) {
                    asked++;
                    agreed += largest(logits[at - 1], eos) == text[at] ? 1 : 0;
                }
            }
        }
        ObjectNode figures = new ObjectMapper().createObjectNode();
        figures.put("tokens", asked).put("agreed", agreed).put("share", (double) agreed / asked);
        Trial.bar(figures, (double) agreed / asked, BAR);
        return figures;
    }

    private EngineConfig exact() {
        EngineConfig machine = EngineConfig.of(model);
        return new EngineConfig(
                model, "vector", threads, machine.cacheBudgetBytes(), PROMPT + TOKENS, 1, CacheRounding.OFF);
    }

    private LanguageModelConfig config() {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            return checkpoint.model();
        }
    }

    /// The server is told to leave the end of the text out.
    private static int largest(float[] logits, List<Integer> eos) {
        eos.forEach(end -> logits[end] = Float.NEGATIVE_INFINITY);
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            best = logits[i] > logits[best] ? i : best;
        }
        return best;
    }
}
