package io.millrace.jobs.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.checkpoint.Checkpoint;
import io.millrace.engine.checkpoint.ParameterCount;
import io.millrace.engine.checkpoint.TokenCost;
import io.millrace.engine.kernel.Ceilings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/// What figures must be read with: the machine and the model.
final class Facts {
    static final String MACHINE = "machine";
    static final String MODEL = "model";
    static final String ARCHITECTURE = "architecture";
    static final String FILE = "file";
    static final String THREADS = "threads";
    static final String BODY_OPERATIONS = "operations_per_token_without_head";
    static final String HEAD_OPERATIONS = "operations_of_the_head";
    static final String BYTES_PER_TOKEN = "weight_bytes_per_token";
    static final String DENSE_BYTES = "weight_bytes_of_every_step";
    static final String EXPERT_BYTES = "weight_bytes_of_all_experts";
    static final String EXPERTS = "experts";
    static final String CHOSEN = "experts_per_token";

    private Facts() {}

    static void write(Path model, int threads, Results results) throws IOException {
        ObjectNode machine = results.facts(MACHINE);
        machine.put("processor", processor());
        machine.put("processors", Runtime.getRuntime().availableProcessors());
        machine.put(THREADS, threads);
        machine.put("java", Runtime.version().toString());
        ObjectNode facts = results.facts(MODEL);
        facts.put(FILE, String.valueOf(model.getFileName()));
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            facts.put(ARCHITECTURE, checkpoint.model().modelType());
            facts.put("quantization", checkpoint.quantization());
            ParameterCount parameters = ParameterCount.of(checkpoint.model());
            facts.put("parameters_total", parameters.total());
            facts.put("parameters_active", parameters.active());
            write(TokenCost.of(checkpoint), facts);
        }
    }

    private static void write(TokenCost cost, ObjectNode facts) {
        facts.put(BODY_OPERATIONS, cost.bodyOperations());
        facts.put(HEAD_OPERATIONS, cost.headOperations());
        facts.put(BYTES_PER_TOKEN, Math.round(cost.bytesPerStep(1)));
        facts.put(DENSE_BYTES, cost.denseBytes());
        facts.put(EXPERT_BYTES, cost.expertBytes());
        facts.put(EXPERTS, cost.experts());
        facts.put(CHOSEN, cost.chosen());
    }

    static TokenCost cost(Results results) {
        return new TokenCost(
                (long) results.fact(MODEL, DENSE_BYTES),
                (long) results.fact(MODEL, EXPERT_BYTES),
                (int) results.fact(MODEL, EXPERTS),
                (int) results.fact(MODEL, CHOSEN),
                (long) results.fact(MODEL, BODY_OPERATIONS),
                (long) results.fact(MODEL, HEAD_OPERATIONS));
    }

    /// Measures what the machine can do at most.
    static void addCeilings(int threads, Results results) {
        Ceilings.measure(threads).forEach((ceiling, rate) -> results.addCeiling(name(ceiling), rate));
    }

    /// A ceiling's name in the document.
    static String name(Ceilings.Ceiling ceiling) {
        return ceiling.name().toLowerCase(Locale.ROOT);
    }

    /// What Linux calls the processor; its architecture elsewhere.
    private static String processor() throws IOException {
        Path info = Path.of("/proc/cpuinfo");
        if (Files.isReadable(info)) {
            for (String line : Files.readAllLines(info)) {
                if (line.startsWith("model name")) {
                    return line.substring(line.indexOf(':') + 1).strip();
                }
            }
        }
        return "unknown";
    }
}
