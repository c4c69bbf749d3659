package io.millrace.jobs.cards;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.npu.cards.Card;
import io.millrace.npu.cards.CardDiscovery;
import io.millrace.npu.cards.CardFault;
import io.millrace.npu.cards.CardGroups;
import io.millrace.npu.cards.CardLeaseException;
import io.millrace.npu.cards.CardLeases;
import io.millrace.npu.cards.Discovery;
import io.millrace.npu.cards.HeldCards;
import io.millrace.udf.CardLease;
import io.millrace.udf.CardProvider;
import io.millrace.udf.CardRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Takes Ascend cards for an executor: those that Spark offers it, or where these are taken, failed or not
/// joined, others of its host. Spark's word alone does not do: two workers on one host hand out the same
/// cards, YARN says only how many, and a card that failed is handed out again.
public final class NpuCardProvider implements CardProvider {
    private static final Logger log = LoggerFactory.getLogger(NpuCardProvider.class);
    /// So long a process that is being ended may take to give its cards back.
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Duration PAUSE = Duration.ofMillis(250);

    @Override
    public List<String> resources() {
        return NpuResource.NAMES;
    }

    @Override
    public CardLease lease(CardRequest request) {
        try {
            return await(request);
        } catch (CardLeaseException e) {
            throw new EngineException(ErrorCode.BAD_CONFIGURATION, String.valueOf(e.getMessage()), e);
        }
    }

    private static CardLease await(CardRequest request) {
        Discovery discovery = CardDiscovery.ofThisHost().find();
        discovery.refusals().forEach(refusal -> log.warn("Left out: {}", refusal));
        CardLeases leases = new CardLeases(Path.of(request.locks()));
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        Optional<HeldCards> taken = take(request, discovery, leases);
        while (taken.isEmpty() && System.nanoTime() < deadline) {
            LockSupport.parkNanos(PAUSE.toNanos());
            taken = take(request, discovery, leases);
        }
        if (taken.isEmpty()) {
            throw new EngineException(ErrorCode.DEVICE_FAILED, refusal(request, discovery, leases));
        }
        List<String> addresses = taken.get().cards().stream().map(Card::address).toList();
        if (!request.offered().isEmpty() && !request.offered().containsAll(addresses)) {
            log.warn("{} took cards {} in place of {}", request.holder(), addresses, request.offered());
        }
        return new Lease(taken.get(), addresses);
    }

    private static Optional<HeldCards> take(CardRequest request, Discovery discovery, CardLeases leases) {
        CardGroups groups = new CardGroups(discovery.links());
        return leases.take(discovery.usable(), request.run(), request.holder(), free -> {
            List<Card> offered = free.stream()
                    .filter(card -> request.offered().contains(card.address()))
                    .toList();
            return groups.choose(offered, request.count()).or(() -> groups.choose(free, request.count()));
        });
    }

    private static String refusal(CardRequest request, Discovery discovery, CardLeases leases) {
        List<String> held = new ArrayList<>();
        leases.owners()
                .forEach((card, owner) -> held.add(card + " by process " + owner.pid() + " (" + owner.holder() + ")"));
        List<String> failed = leases.retirements().stream()
                .filter(retirement -> retirement.run().equals(request.run()))
                .map(retirement -> retirement.card() + " (" + retirement.fault() + ")")
                .toList();
        return "cards: expected " + request.count() + " free and joined by fast links, got "
                + discovery.usable().stream().map(Card::address).toList() + " by " + discovery.source() + "; held: "
                + held + "; failed in this run: " + failed + "; left out: " + discovery.refusals();
    }

    private record Lease(HeldCards cards, List<String> addresses) implements CardLease {
        @Override
        public void retire(ErrorCode code, String reason) {
            cards.retire(code == ErrorCode.ENGINE_STALLED ? CardFault.HANG : CardFault.ofMessage(reason), reason);
        }

        @Override
        public void close() {
            cards.close();
        }
    }
}
