package io.millrace.jobs.inspect;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.checkpoint.Checkpoint;
import io.millrace.engine.checkpoint.ParameterCount;
import io.millrace.engine.model.Caches;
import io.millrace.engine.model.LanguageModelConfig;
import io.millrace.engine.model.ModelConfig;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `millrace inspect`: what a model folder or GGUF file holds and whether this machine can run it. Reads
/// headers only, no weight.
@Command(
        name = "inspect",
        mixinStandardHelpOptions = true,
        description = "Prints what a model is: parameters, bytes by type, bytes of cache per token, whether it fits.")
public final class InspectCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Option(names = "--model", paramLabel = "PATH", required = true, description = "Model folder or GGUF file.")
    private Path model = Path.of("");

    @Option(
            names = "--context",
            paramLabel = "N",
            defaultValue = "4096",
            description = "Tokens of a sequence for which its cache is counted. Default: ${DEFAULT-VALUE}.")
    private int context;

    @Option(names = "--json", description = "Print an object.")
    private boolean json;

    @Override
    public Integer call() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the spec before it calls the command");
        }
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            ObjectNode facts = facts(checkpoint);
            PrintWriter out = spec.commandLine().getOut();
            if (json) {
                out.println(facts.toPrettyString());
            } else {
                facts.properties()
                        .forEach(fact -> out.printf(
                                Locale.ROOT,
                                "%-26s %s%n",
                                fact.getKey().replace('_', ' '),
                                fact.getValue().isIntegralNumber()
                                        ? String.format(
                                                Locale.ROOT,
                                                "%,d",
                                                fact.getValue().longValue())
                                        : fact.getValue().asText()));
            }
            out.flush();
        }
        return 0;
    }

    private ObjectNode facts(Checkpoint checkpoint) {
        LanguageModelConfig config = checkpoint.model();
        ParameterCount parameters = ParameterCount.of(config);
        int tokens = Math.min(context, config.maxPositionEmbeddings());
        ObjectNode facts = new ObjectMapper().createObjectNode();
        facts.put("model", checkpoint.name());
        facts.put("architecture", config.modelType());
        facts.put("parameters_total", parameters.total());
        facts.put("parameters_active", parameters.active());
        facts.put("layers", config.numHiddenLayers());
        facts.put("vocab_size", config.vocabSize());
        facts.put("max_positions", config.maxPositionEmbeddings());
        facts.put("quantization", checkpoint.quantization());
        for (var entry : checkpoint.bytesByDtype().entrySet()) {
            facts.put("bytes_" + entry.getKey().name().toLowerCase(Locale.ROOT), entry.getValue());
        }
        long weightBytes = ModelMemory.weightBytes(checkpoint);
        facts.put("bytes_weights", weightBytes);
        facts.put("cache_bytes_per_token", bytesPerToken(config, tokens));
        facts.put("cache_bytes_of_" + tokens, config.cacheBytes(tokens));
        facts.put("fits", fits(weightBytes, config.cacheBytes(tokens)));
        return facts;
    }

    private static long bytesPerToken(LanguageModelConfig config, int tokens) {
        return config instanceof ModelConfig deepSeek
                ? Math.round(Caches.shape(deepSeek).bytesPerToken())
                : config.cacheBytes(tokens) / Math.max(tokens, 1);
    }

    /// Weights are mapped files and want physical memory; caches are on the heap.
    private static String fits(long weightBytes, long cacheBytes) {
        long heap = Runtime.getRuntime().maxMemory();
        long sequences = heap / 4 / Math.max(cacheBytes, 1);
        long available = ModelMemory.hostBytes();
        String weights = weightBytes <= available
                ? "weights fit"
                : "weights do not fit: " + mebibytes(weightBytes) + " MiB wanted, " + mebibytes(available)
                        + " MiB of memory available, so they would be read from disk again and again";
        return weights + "; a cache budget of a quarter of this heap (" + mebibytes(heap / 4) + " MiB) holds "
                + sequences + " such sequences";
    }

    private static long mebibytes(long bytes) {
        return bytes >> 20;
    }
}
