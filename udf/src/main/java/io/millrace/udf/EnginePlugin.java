package io.millrace.udf;

import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkContext;
import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.PluginContext;
import org.apache.spark.api.plugin.SparkPlugin;
import org.apache.spark.resource.ResourceInformation;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Owns the executor's engine: begins to open it when the executor starts, closes it when the executor
/// ends, and tells the driver every second how far it is. Named in `spark.plugins`; must be on the
/// executors' class path when they start.
public final class EnginePlugin implements SparkPlugin {
    private static final Logger log = LoggerFactory.getLogger(EnginePlugin.class);
    private static final long REPORT_MILLIS = 1000;
    /// Spark's name of the resource.
    private static final String CARDS = "npu";
    private static final String RECIPE = "spark.millrace.recipe";

    /// Spark configuration that names this plugin and tells executors which engine they will need.
    public static Map<String, String> configuration(EngineRecipe recipe) {
        return Map.of("spark.plugins", EnginePlugin.class.getName(), RECIPE, recipe.toJson());
    }

    @Override
    public DriverPlugin driverPlugin() {
        return new Collector();
    }

    @Override
    public ExecutorPlugin executorPlugin() {
        return new Owner();
    }

    private static final class Collector implements DriverPlugin {
        @Override
        public Map<String, String> init(SparkContext context, PluginContext plugin) {
            RunProgress.clear();
            return Map.of();
        }

        @Override
        public @Nullable Object receive(Object message) {
            RunProgress.receive((ProgressReport) message);
            return null;
        }
    }

    private static final class Owner implements ExecutorPlugin {
        private final ScheduledExecutorService reporter = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().name("millrace-progress").daemon().factory());

        @Override
        public void init(PluginContext plugin, Map<String, String> fromDriver) {
            ResourceInformation cards = plugin.resources().get(CARDS);
            ExecutorPlace.set(
                    new ExecutorPlace(plugin.executorID(), cards == null ? List.of() : List.of(cards.addresses())));
            if (plugin.conf().contains(RECIPE)) {
                ExecutorEngine.ofThisProcess()
                        .prepare(EngineRecipe.ofJson(plugin.conf().get(RECIPE)));
            }
            // never completes, and reports of its own failures
            Future<?> _ = reporter.scheduleWithFixedDelay(
                    () -> report(plugin), REPORT_MILLIS, REPORT_MILLIS, TimeUnit.MILLISECONDS);
        }

        private static void report(PluginContext plugin) {
            try {
                plugin.send(ExecutorEngine.ofThisProcess().report(plugin.executorID()));
            } catch (Exception e) {
                // a missed report costs nothing: the next one holds the same sums
                log.debug("Progress report not sent", e);
            }
        }

        @Override
        public void shutdown() {
            reporter.shutdownNow();
            ExecutorEngine.ofThisProcess().close();
        }
    }
}
