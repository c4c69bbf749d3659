package io.millrace.jobs.bench;

import io.millrace.jobs.JobException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `millrace bench`: tokens per second of this engine, and of others on the same file in turn with it, so
/// that a ratio holds when the machine's speed drifts; what the machine can do at most, in between.
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        description = {
            "Times prefill and decoding with random prompts, and what the machine can do at most.",
            "With --peer, each round times every engine, one after the other; figures are medians.",
            "With --json, figures are added to those of earlier runs, and a picture is drawn beside the file."
        })
public final class BenchCommand implements Callable<Integer> {
    private static final List<String> CURVE = Stream.iterate(1, streams -> streams <= 512, streams -> 2 * streams)
            .map(streams -> "decode:" + streams)
            .toList();

    @Spec
    private @Nullable CommandSpec spec;

    @Option(names = "--model", paramLabel = "FILE", required = true, description = "Model; GGUF if there are peers.")
    private Path model = Path.of("");

    @Option(names = "--ring", paramLabel = "RING", defaultValue = "auto", description = "Kernels. Default: auto.")
    private String ring = "auto";

    @Option(names = "--threads", paramLabel = "N", defaultValue = "0", description = "Default: all processors.")
    private int threads;

    @Option(
            names = "--step",
            paramLabel = "N",
            defaultValue = "2048",
            description = "Our tokens a step. Default: 2048.")
    private int stepTokens;

    @Option(
            names = "--work",
            paramLabel = "WORK",
            split = ",",
            defaultValue = "prefill,decode:1,decode:64,decode:512",
            description = "prefill, decode:STREAMS, curve (1 to 512 streams), or a trial: length, memory, spark, sql,"
                    + " executors, agreement, quality, shots, soak; several by commas. Default: ${DEFAULT-VALUE}.")
    private List<String> words = List.of();

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
            description = "Tokens of a stream, fewer if there are many. Default: 64.")
    private int generatedTokens;

    @Option(names = "--rounds", paramLabel = "N", defaultValue = "3", description = "Default: 3.")
    private int rounds;

    @Option(
            names = "--peer",
            paramLabel = "NAME=DIR",
            description = "llama.cpp=DIR or ik=DIR, with llama-bench and llama-batched-bench. Repeatable.")
    private Map<String, Path> peers = new LinkedHashMap<>();

    @Option(
            names = "--rows",
            paramLabel = "N",
            defaultValue = "300",
            description = "Rows of the bundled corpus in trials with Spark, for each executor. Default: 300.")
    private int rows;

    @Option(
            names = "-c",
            paramLabel = "KEY=VALUE",
            description = "Setting of the job, as the job's command takes it, in the trial spark. Repeatable.")
    private List<String> settings = List.of();

    @Option(
            names = "--minutes",
            paramLabel = "N",
            defaultValue = "60",
            description = "How long a soak takes. Default: 60.")
    private int minutes;

    @Option(names = "--peers-only", description = "Time the peers alone.")
    private boolean peersOnly;

    @Option(names = "--tune", description = "First try settings of the peers for each work, and keep the best.")
    private boolean tune;

    @Option(names = "--json", paramLabel = "FILE", description = "Every figure; added to what is there.")
    private @Nullable Path json;

    @Override
    public Integer call() throws IOException {
        requireTools();
        Shape shape = new Shape(
                threads == 0 ? Runtime.getRuntime().availableProcessors() : threads, promptTokens, generatedTokens);
        Results results = Results.open(json);
        Facts.write(model, shape.threads(), results);
        List<Peer> others = peers.entrySet().stream()
                .map(peer -> new Peer(peer.getKey(), peer.getValue(), model, shape, results))
                .toList();
        List<Work> works = new ArrayList<>();
        Map<String, Trial> trials = new LinkedHashMap<>();
        words.forEach(word -> trial(word, shape)
                .ifPresentOrElse(
                        trial -> trials.put(word, trial), () -> works(word).forEach(works::add)));
        if (tune) {
            works.forEach(work -> others.forEach(peer -> peer.tune(work)));
        }
        measure(works, others, shape, results);
        for (Map.Entry<String, Trial> trial : trials.entrySet()) {
            results.addTrial(trial.getKey(), trial.getValue().run());
        }
        results.write();
        if (json != null) {
            Picture.draw(
                    results, json.resolveSibling(json.getFileName().toString().replaceFirst("\\.json$", "") + ".png"));
        }
        new Table(results, commandSpec().commandLine().getOut()).print();
        return 0;
    }

    private Stream<Work> works(String word) {
        List<String> words = word.equals("curve") ? CURVE : List.of(word);
        return words.stream()
                .map(each -> Work.parse(each)
                        .orElseThrow(() ->
                                wrong("--work: expected prefill, decode:STREAMS, curve or a trial, got " + each)));
    }

    private Optional<Trial> trial(String word, Shape shape) {
        return Optional.ofNullable(
                switch (word) {
                    case "length" -> new LengthTrial(ring, shape.threads());
                    case "memory" -> new MemoryTrial();
                    case "spark" -> new SparkTrial(model, rows, rounds, settings);
                    case "sql" -> new SqlTrial(model, rows, rounds);
                    case "executors" -> new ExecutorsTrial(model, rows);
                    case "agreement" -> new AgreementTrial(model, peer(Bars.LLAMA_CPP), shape.threads());
                    case "shots" -> new ShotsTrial(model, ring, shape, stepTokens);
                    case "soak" ->
                        new SoakTrial(
                                model,
                                rows,
                                shape.threads(),
                                Duration.ofMinutes(minutes),
                                json == null ? null : json.toAbsolutePath().getParent());
                    case "quality" -> new QualityTrial(model, ring, rows, shape.threads());
                    default -> null;
                });
    }

    private Path peer(String name) {
        Path tools = peers.get(name);
        if (tools == null) {
            throw wrong("--work agreement: expected --peer " + name + "=DIR with llama-server, got none");
        }
        return tools;
    }

    private void requireTools() {
        peers.forEach((name, tools) -> {
            for (String tool : List.of(Peer.PREFILL_TOOL, Peer.DECODE_TOOL)) {
                if (!Files.isExecutable(tools.resolve(tool))) {
                    throw wrong("--peer " + name + ": expected the program " + tools.resolve(tool) + ", got none");
                }
            }
        });
    }

    private ParameterException wrong(String message) {
        return new ParameterException(commandSpec().commandLine(), message);
    }

    private CommandSpec commandSpec() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the spec before it calls the command");
        }
        return spec;
    }

    private void measure(List<Work> works, List<Peer> others, Shape shape, Results results) {
        List<Contestant> contestants = new ArrayList<>(others);
        if (rounds == 0 || works.isEmpty()) {
            return;
        }
        OurEngine ours = peersOnly ? null : new OurEngine(model, ring, shape, stepTokens);
        try {
            if (ours != null) {
                contestants.addFirst(ours);
            }
            for (Work work : works) {
                if (ours != null) {
                    ours.warmUp(work);
                }
                for (int round = 0; round < rounds; round++) {
                    contestants.forEach(contestant -> time(contestant, work, results));
                }
            }
            if (ours != null) {
                Facts.addCeilings(shape.threads(), results);
            }
        } finally {
            contestants.forEach(Contestant::close);
        }
    }

    private static void time(Contestant contestant, Work work, Results results) {
        try {
            double rate = contestant.tokensPerSecond(work);
            results.addRate(work, contestant.name(), contestant.settings(work), rate);
        } catch (JobException e) {
            results.addFailure(work, contestant.name(), contestant.settings(work), String.valueOf(e.getMessage()));
        }
    }
}
