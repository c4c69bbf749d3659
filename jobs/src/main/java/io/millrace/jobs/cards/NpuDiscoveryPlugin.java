package io.millrace.jobs.cards;

import io.millrace.npu.cards.CardDiscovery;
import io.millrace.npu.cards.Discovery;
import java.util.List;
import java.util.Optional;
import org.apache.spark.SparkConf;
import org.apache.spark.api.resource.ResourceDiscoveryPlugin;
import org.apache.spark.resource.ResourceInformation;
import org.apache.spark.resource.ResourceRequest;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Finds the cards of a worker, executor or driver for Spark (`spark.resources.discoveryPlugin`), without a
/// script. Other resources are left to Spark's own plugin.
public final class NpuDiscoveryPlugin implements ResourceDiscoveryPlugin {
    /// Cards of an engine: what is not a whole group of so many is not offered.
    public static final String GROUP = "spark.millrace.cards.group";

    private static final Logger log = LoggerFactory.getLogger(NpuDiscoveryPlugin.class);

    @Override
    public Optional<ResourceInformation> discoverResource(ResourceRequest request, SparkConf conf) {
        String name = request.id().resourceName();
        if (!NpuResource.NAMES.contains(name) || request.discoveryScript().isPresent()) {
            return Optional.empty();
        }
        Discovery discovery = CardDiscovery.ofThisHost().find();
        discovery.refusals().forEach(refusal -> log.warn("Left out: {}", refusal));
        List<String> addresses = OfferedCards.addresses(discovery, Math.max(1, conf.getInt(GROUP, 1)));
        log.info("{} {} by {}", name, addresses, discovery.source());
        return Optional.of(new ResourceInformation(name, addresses.toArray(String[]::new)));
    }
}
