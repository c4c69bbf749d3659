package io.millrace.jobs.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `millrace bench`: tokens per second of this engine, and of others on the same file in turn with it, so that a ratio
/// holds when the machine's speed drifts.
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        description = {
            "Times prefill and decoding with random prompts, after one round that is not counted.",
            "With --peer, each round times every engine, one after the other; figures are medians."
        })
public final class BenchCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Option(names = "--model", paramLabel = "FILE", required = true, description = "Model; GGUF if there are peers.")
    private Path model = Path.of("");

    @Option(names = "--ring", paramLabel = "RING", defaultValue = "auto", description = "Kernels. Default: auto.")
    private String ring = "auto";

    @Option(names = "--threads", paramLabel = "N", defaultValue = "0", description = "Default: all processors.")
    private int threads;

    @Option(
            names = "--work",
            paramLabel = "WORK",
            split = ",",
            converter = Work.Converter.class,
            defaultValue = "prefill,decode:1,decode:64",
            description = "prefill or decode:STREAMS, several by commas. Default: ${DEFAULT-VALUE}.")
    private List<Work> works = List.of();

    @Option(
            names = "--prompt",
            paramLabel = "N",
            defaultValue = "512",
            description = "Tokens of a prompt. Default: 512.")
    private int promptTokens;

    @Option(
            names = "--generate",
            paramLabel = "N",
            defaultValue = "64",
            description = "Tokens per stream. Default: 64.")
    private int generatedTokens;

    @Option(names = "--rounds", paramLabel = "N", defaultValue = "3", description = "Counted rounds. Default: 3.")
    private int rounds;

    @Option(
            names = "--peer",
            paramLabel = "NAME=DIR",
            description = "Folder with llama-bench and llama-batched-bench. Repeatable.")
    private Map<String, Path> peers = new LinkedHashMap<>();

    @Option(names = "--json", paramLabel = "FILE", description = "Where to write every figure.")
    private @Nullable Path json;

    @Override
    public Integer call() throws IOException {
        int workers = threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
        List<Contestant> contestants = new ArrayList<>();
        contestants.add(new OurEngine(model, ring, workers, promptTokens, generatedTokens));
        peers.forEach((name, tools) ->
                contestants.add(new LlamaTools(name, tools, model, workers, promptTokens, generatedTokens)));
        try {
            Map<Work, double[][]> figures = new LinkedHashMap<>();
            works.forEach(work -> figures.put(work, measure(contestants, work)));
            report(contestants, figures);
        } finally {
            contestants.forEach(Contestant::close);
        }
        return 0;
    }

    /// [contestant][round]
    private double[][] measure(List<Contestant> contestants, Work work) {
        double[][] measured = new double[contestants.size()][rounds];
        for (int round = -1; round < rounds; round++) {
            for (int i = 0; i < measured.length; i++) {
                double rate = contestants.get(i).tokensPerSecond(work);
                if (round >= 0) {
                    measured[i][round] = rate;
                }
            }
        }
        return measured;
    }

    private void report(List<Contestant> contestants, Map<Work, double[][]> figures) throws IOException {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the spec before it calls the command");
        }
        PrintWriter out = spec.commandLine().getOut();
        out.println("model: " + model.getFileName() + "; processors: "
                + Runtime.getRuntime().availableProcessors() + "; prompt " + promptTokens + ", generated "
                + generatedTokens + "; median of " + rounds + " rounds, tokens/s (least to most)");
        contestants.forEach(contestant -> out.println(contestant.name() + ": " + contestant.settings()));
        figures.forEach((work, rates) -> out.println(line(contestants, work, rates)));
        out.flush();
        if (json != null) {
            Files.writeString(json, document(contestants, figures).toPrettyString() + "\n");
        }
    }

    private static String line(List<Contestant> contestants, Work work, double[][] rates) {
        StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%-12s", work));
        for (int i = 0; i < rates.length; i++) {
            double[] sorted = Arrays.stream(rates[i]).sorted().toArray();
            line.append(String.format(
                    Locale.ROOT,
                    "  %s %.1f (%.1f-%.1f)",
                    contestants.get(i).name(),
                    median(rates[i]),
                    sorted[0],
                    sorted[sorted.length - 1]));
            if (i > 0) {
                line.append(String.format(Locale.ROOT, ", ratio %.2f", median(ratios(rates[0], rates[i]))));
            }
        }
        return line.toString();
    }

    /// Round by round, since the two were timed one after the other.
    private static double[] ratios(double[] ours, double[] theirs) {
        double[] ratios = new double[ours.length];
        Arrays.setAll(ratios, round -> ours[round] / theirs[round]);
        return ratios;
    }

    static double median(double[] values) {
        double[] sorted = Arrays.stream(values).sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private ObjectNode document(List<Contestant> contestants, Map<Work, double[][]> figures) {
        ObjectNode document = new ObjectMapper().createObjectNode();
        document.put("model", String.valueOf(model.getFileName()));
        document.put("processors", Runtime.getRuntime().availableProcessors());
        document.put("java", Runtime.version().toString());
        document.put("prompt_tokens", promptTokens);
        document.put("generated_tokens", generatedTokens);
        figures.forEach((work, rates) -> {
            ObjectNode entry = document.withObjectProperty("tokens_per_second").putObject(work.toString());
            for (int i = 0; i < rates.length; i++) {
                for (double rate : rates[i]) {
                    entry.withArrayProperty(contestants.get(i).name()).add(rate);
                }
            }
        });
        contestants.forEach(
                contestant -> document.withObjectProperty("settings").put(contestant.name(), contestant.settings()));
        return document;
    }
}
