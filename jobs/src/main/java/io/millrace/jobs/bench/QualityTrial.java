package io.millrace.jobs.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.LocalEngine;
import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineConfig;
import io.millrace.engine.api.GenerationRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/// Whether speed is paid for with quality: the bundled corpus summarised by the fast kernels and by those
/// that compute in float, ROUGE against the references; and how far the next-token distributions of its
/// prompts are apart.
final class QualityTrial implements Trial {
    private static final double ROUGE_BAR = 0.2;
    private static final double DIVERGENCE_BAR = 1e-3;
    private static final int PROMPTS = 50;
    private static final List<String> NAMES = List.of("rouge1", "rouge2", "rougeL");

    private final Path model;
    private final String ring;
    private final int rows;
    private final int threads;

    QualityTrial(Path model, String ring, int rows, int threads) {
        this.model = model;
        this.ring = ring;
        this.rows = rows;
        this.threads = threads;
    }

    @Override
    public ObjectNode run() throws IOException {
        SummarizeRun fast = summarize(ring);
        List<GenerationRequest> prompts = RecordingProvider.takeRequests().stream()
                .sorted((a, b) -> a.id().compareTo(b.id()))
                .limit(PROMPTS)
                .toList();
        SummarizeRun exact = summarize("vector");
        RecordingProvider.takeRequests();
        ObjectNode figures = new ObjectMapper().createObjectNode();
        figures.put("rows", rows);
        double largest = 0;
        for (int i = 0; i < NAMES.size(); i++) {
            double difference = fast.rouge().get(i) - exact.rouge().get(i);
            largest = Math.max(largest, Math.abs(difference));
            figures.putObject(NAMES.get(i))
                    .put("fast", fast.rouge().get(i))
                    .put("float", exact.rouge().get(i));
        }
        double divergence = divergence(prompts);
        figures.put("mean_divergence_per_token", divergence).put("divergence_bar", DIVERGENCE_BAR);
        figures.put("largest_rouge_difference", largest).put("rouge_bar", ROUGE_BAR);
        figures.put("met", largest <= ROUGE_BAR && divergence <= DIVERGENCE_BAR);
        return figures;
    }

    private SummarizeRun summarize(String kernels) throws IOException {
        return SummarizeRun.of(
                model, rows, "-c", "engine.ring=" + kernels, "-c", "engine.kind=" + RecordingProvider.KIND);
    }

    private double divergence(List<GenerationRequest> prompts) {
        double sum = 0;
        int positions = 0;
        try (LocalEngine exact = LocalEngine.open(config("vector"));
                LocalEngine fast = LocalEngine.open(config(ring))) {
            for (GenerationRequest prompt : prompts) {
                float[][] expected = exact.logits(prompt.prompt().toArray());
                float[][] got = fast.logits(prompt.prompt().toArray());
                for (int i = 0; i < got.length; i++) {
                    sum += divergence(expected[i], got[i]);
                }
                positions += got.length;
            }
        }
        return sum / positions;
    }

    private EngineConfig config(String kernels) {
        EngineConfig machine = EngineConfig.of(model);
        return new EngineConfig(
                model, kernels, threads, machine.cacheBudgetBytes(), machine.stepTokens(), 1, CacheRounding.OFF);
    }

    /// Kullback-Leibler, in nats, of the softmax of `q` from that of `p`.
    private static double divergence(float[] p, float[] q) {
        double logP = logSumExp(p);
        double logQ = logSumExp(q);
        double sum = 0;
        for (int i = 0; i < p.length; i++) {
            sum += Math.exp(p[i] - logP) * (p[i] - logP - (q[i] - logQ));
        }
        return sum;
    }

    private static double logSumExp(float[] logits) {
        double largest = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            largest = Math.max(largest, logit);
        }
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - largest);
        }
        return largest + Math.log(sum);
    }
}
