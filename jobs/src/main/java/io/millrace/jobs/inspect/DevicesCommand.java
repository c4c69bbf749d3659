package io.millrace.jobs.inspect;

import io.millrace.engine.device.Availability;
import io.millrace.engine.device.DeviceProvider;
import io.millrace.engine.device.Devices;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// `millrace devices`: where this process could compute, and why not elsewhere.
@Command(
        name = "devices",
        mixinStandardHelpOptions = true,
        description = "Lists kinds of devices, whether each is available here, and the reason.")
public final class DevicesCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the spec before it calls the command");
        }
        PrintWriter out = spec.commandLine().getOut();
        for (DeviceProvider provider : Devices.providers()) {
            Availability availability = provider.availability();
            String state = availability instanceof Availability.Available ? "available" : "unavailable";
            out.printf(Locale.ROOT, "%-8s %-12s %s%n", provider.name(), state, availability.sentence());
        }
        out.flush();
        return 0;
    }
}
