package io.millrace.jobs.inspect;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.ModelContract;
import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.device.Availability;
import io.millrace.engine.device.DeviceProvider;
import io.millrace.engine.device.Devices;
import io.millrace.engine.device.KernelContract;
import io.millrace.engine.device.KernelContract.Check;
import io.millrace.engine.device.KernelContract.Tolerance;
import io.millrace.engine.kernel.Kernels;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `millrace contract`: whether a device computes what the reference ring computes, written down to be sent
/// to those who have no such device.
@Command(
        name = "contract",
        mixinStandardHelpOptions = true,
        description = {
            "Runs every operation, and a whole model if one is given, on a device and on the reference kernels, and writes",
            "a report. Exit code 4 if anything differs by more than it may."
        })
public final class ContractCommand implements Callable<Integer> {
    private static final int DIFFERENT = 4;
    private static final int TOKENS = 160;
    private static final int GENERATED = 24;

    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(
            paramLabel = "RING",
            description = "Kernels to judge: npu, npu:CARD, npu:CARD:bf16, npu:CARD:int8, or a ring of the CPU.")
    private String ring = "";

    @Option(names = "--model", paramLabel = "DIR", description = "Also a whole model: logits and greedy answers.")
    private @Nullable Path model;

    @Option(
            names = "--report",
            paramLabel = "FILE",
            defaultValue = "contract.json",
            description = "JSON to write. Default: ${DEFAULT-VALUE}.")
    private Path report = Path.of("contract.json");

    @Override
    public Integer call() throws IOException {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the spec before it calls the command");
        }
        ObjectNode root = new ObjectMapper().createObjectNode();
        root.put("at", Instant.now().toString()).put("ring", ring);
        root.put("machine", Runtime.version() + ", " + Runtime.getRuntime().availableProcessors() + " processors");
        ArrayNode kinds = root.putArray("devices");
        for (DeviceProvider provider : Devices.providers()) {
            Availability availability = provider.availability();
            kinds.add(provider.name() + ": " + availability.sentence());
        }
        List<Check> checks;
        try (Kernels kernels = Devices.open(ring, Runtime.getRuntime().availableProcessors())) {
            root.put("kernels", kernels.description());
            checks = KernelContract.run(kernels, tolerance());
        }
        checks.forEach(check -> write(check, root.withArray("operations").addObject()));
        ModelContract.Result whole =
                model == null ? null : ModelContract.run(model, ring, CacheRounding.OFF, TOKENS, GENERATED);
        if (whole != null) {
            root.putPOJO("model", whole);
        }
        new ObjectMapper().writerWithDefaultPrettyPrinter().writeValue(report.toFile(), root);
        return say(spec.commandLine().getOut(), checks, whole);
    }

    private Tolerance tolerance() {
        if (ring.startsWith("native") || ring.equals("auto")) {
            return Tolerance.COMPILED;
        }
        return ring.endsWith("bf16") ? Tolerance.BF16 : ring.endsWith("int8") ? Tolerance.INT8 : Tolerance.FP32;
    }

    private static void write(Check check, ObjectNode node) {
        node.put("operation", check.operation()).put("shape", check.shape()).put("passed", check.passed());
        node.put("largestError", check.largestError()).put("tolerance", check.tolerance());
        node.put("firstMicros", check.micros()[0]).put("secondMicros", check.micros()[1]);
        if (check.failure() != null) {
            node.put("failure", check.failure());
        }
    }

    private static String sentence(ModelContract.Result whole) {
        return whole.failure() != null
                ? whole.model() + ": " + whole.failure()
                : String.format(
                        Locale.ROOT,
                        "%s: largest logit difference %.1e, median %.1e; the likeliest token at %d of %d positions and the"
                                + " greedy answers of %d of %d prompts are the same",
                        whole.model(),
                        whole.largest(),
                        whole.median(),
                        whole.sameArgmax(),
                        whole.positions(),
                        whole.sameTokens(),
                        whole.prompts());
    }

    private int say(PrintWriter out, List<Check> checks, ModelContract.@Nullable Result whole) {
        List<Check> broken = checks.stream().filter(check -> !check.passed()).toList();
        for (Check check : broken) {
            out.printf(
                    Locale.ROOT,
                    "differs: %s %s: %.2e, at most %.2e%s%n",
                    check.operation(),
                    check.shape(),
                    check.largestError(),
                    check.tolerance(),
                    check.failure() == null ? "" : ", " + check.failure());
        }
        out.printf(
                Locale.ROOT, "%d of %d operations keep the contract%n", checks.size() - broken.size(), checks.size());
        if (whole != null) {
            out.println(sentence(whole));
        }
        out.println("report: " + report.toAbsolutePath());
        out.flush();
        return broken.isEmpty() && (whole == null || whole.failure() == null) ? 0 : DIFFERENT;
    }
}
