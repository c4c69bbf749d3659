package io.millrace.jobs.inspect;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.device.Availability;
import io.millrace.engine.device.DeviceProvider;
import io.millrace.engine.device.Devices;
import io.millrace.jobs.cards.OfferedCards;
import io.millrace.npu.cards.Card;
import io.millrace.npu.cards.CardDiscovery;
import io.millrace.npu.cards.CardLeases;
import io.millrace.npu.cards.CardOwner;
import io.millrace.npu.cards.Discovery;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `millrace devices`: where this process could compute, and why not elsewhere; the cards of this host, and
/// who holds them.
@Command(
        name = "devices",
        mixinStandardHelpOptions = true,
        description = "Lists kinds of devices, whether each is available here, and the reason; then the cards of this"
                + " host with their state and owner.")
public final class DevicesCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Option(
            names = "--resource",
            paramLabel = "NAME",
            description = "Print only the cards that can be used, as Spark expects it of a discovery script for a"
                    + " resource of this name.")
    private @Nullable String resource;

    @Option(names = "--group", paramLabel = "N", description = "With --resource: cards of an engine (default: 1).")
    private int group = 1;

    @Option(
            names = "--locks",
            paramLabel = "DIR",
            description = "Folder of the locks of this host's cards (default: " + CardLeases.DEFAULT_FOLDER + ").")
    private Path locks = Path.of(CardLeases.DEFAULT_FOLDER);

    @Override
    public Integer call() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the spec before it calls the command");
        }
        PrintWriter out = spec.commandLine().getOut();
        Discovery discovery = CardDiscovery.ofThisHost().find();
        String name = resource;
        if (name != null) {
            PrintWriter err = spec.commandLine().getErr();
            discovery.refusals().forEach(refusal -> err.println("millrace: left out: " + refusal));
            err.flush();
            out.println(offer(name, OfferedCards.addresses(discovery, group)));
        } else {
            kinds(out);
            cards(out, discovery);
        }
        out.flush();
        return 0;
    }

    private static String offer(String name, List<String> addresses) {
        ObjectNode offer = new ObjectMapper().createObjectNode().put("name", name);
        ArrayNode list = offer.putArray("addresses");
        addresses.forEach(list::add);
        return offer.toString();
    }

    private static void kinds(PrintWriter out) {
        for (DeviceProvider provider : Devices.providers()) {
            Availability availability = provider.availability();
            String state = availability instanceof Availability.Available ? "available" : "unavailable";
            out.printf(Locale.ROOT, "%-8s %-12s %s%n", provider.name(), state, availability.sentence());
        }
    }

    private void cards(PrintWriter out, Discovery discovery) {
        if (discovery.findings().isEmpty()) {
            out.println("no cards: " + discovery.source());
            return;
        }
        CardLeases leases = new CardLeases(locks);
        Map<Integer, CardOwner> owners = leases.owners();
        List<CardLeases.Retirement> retirements = leases.retirements();
        out.println("cards by " + discovery.source() + ":");
        for (Discovery.Finding finding : discovery.findings()) {
            Card card = finding.card();
            CardOwner owner = owners.get(card.logicalId());
            out.printf(Locale.ROOT, "npu %-4s %-12s %s%n", card.address(), state(finding, owner), place(card));
            if (finding.refusal() != null) {
                out.println("         " + finding.refusal());
            }
            if (owner != null) {
                out.println("         " + owner.holder() + " of " + owner.run() + ", process " + owner.pid()
                        + ", since " + owner.since());
            }
            retirements.stream()
                    .filter(retirement -> retirement.card() == card.logicalId())
                    .forEach(retirement -> out.println("         failed in " + retirement.run() + " at "
                            + retirement.at() + ": " + retirement.fault() + ", " + retirement.reason()));
        }
    }

    private static String state(Discovery.Finding finding, @Nullable CardOwner owner) {
        if (owner != null) {
            return "held";
        }
        return finding.refusal() == null ? "free" : "left out";
    }

    private static String place(Card card) {
        return String.format(
                Locale.ROOT,
                "%s, chip %d of %d on card %d, physical %s, bus %s, %s, %d of %d MB used",
                card.model().isEmpty() ? "unknown model" : card.model(),
                card.chipId(),
                card.chipsOnCard(),
                card.npuId(),
                card.physicalId() == null ? "unknown" : card.physicalId(),
                card.busId() == null ? "unknown" : card.busId(),
                card.health().word(),
                card.usedMegabytes(),
                card.totalMegabytes());
    }
}
