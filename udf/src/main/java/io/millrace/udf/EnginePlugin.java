package io.millrace.udf;

import com.codahale.metrics.Gauge;
import io.millrace.engine.api.EngineException;
import io.millrace.udf.ui.InferenceLog;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.spark.ExecutorAllocationClient;
import org.apache.spark.SparkContext;
import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.PluginContext;
import org.apache.spark.api.plugin.SparkPlugin;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorRemoved;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.jdk.javaapi.CollectionConverters;

/// Owns the executor's engine and its cards: takes the cards and begins to open the engine when the
/// executor starts, closes it and gives them back when the executor ends, and tells the driver every second
/// how far it is, which shows it in Spark's UI and metrics. Named in `spark.plugins`; must be on the
/// executors' class path when they start.
///
/// An executor whose cards fail is of no more use: the process may hang on them. The driver has Spark end
/// it and do its tasks elsewhere.
public final class EnginePlugin implements SparkPlugin {
    private static final Logger log = LoggerFactory.getLogger(EnginePlugin.class);
    private static final long REPORT_MILLIS = 1000;
    /// Spark's name of the executor that is in the driver's process.
    private static final String LOCAL = "driver";
    private static final String SETUP = "spark.millrace.setup";

    /// Spark configuration that names this plugin and tells executors which engine they will need.
    public static Map<String, String> configuration(ExecutorSetup setup) {
        return Map.of("spark.plugins", EnginePlugin.class.getName(), SETUP, setup.toJson());
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
        private final Map<String, ReportGauges> gauges = new HashMap<>();
        private @Nullable SparkContext context;
        private @Nullable InferenceLog inference;
        private @Nullable PluginContext plugin;
        private boolean isBeside;

        @Override
        public Map<String, String> init(SparkContext context, PluginContext plugin) {
            this.context = context;
            this.plugin = plugin;
            InferenceLog shown = InferenceLog.of(context);
            inference = shown;
            RunProgress.clear();
            CardRoster.clear();
            if (plugin.conf().contains(SETUP)) {
                isBeside = ExecutorSetup.ofJson(plugin.conf().get(SETUP)).beside() != null;
            }
            context.addSparkListener(new SparkListener() {
                @Override
                public void onExecutorRemoved(SparkListenerExecutorRemoved removed) {
                    CardRoster.gone(removed.executorId());
                    ProgressReport last = RunProgress.gone(removed.executorId());
                    if (last != null) {
                        shown.receive(last);
                    }
                }
            });
            return Map.of();
        }

        @Override
        public void registerMetrics(String appId, PluginContext plugin) {
            // Spark takes no notice of a plugin that has no metric by now
            plugin.metricRegistry().register("executors", (Gauge<Integer>)
                    () -> RunProgress.totals().executors());
        }

        @Override
        public @Nullable Object receive(Object message) {
            switch (message) {
                case ProgressReport report -> heard(report);
                case ExpertReport report -> RunProgress.receive(report);
                default -> heard((CardNotice) message);
            }
            return null;
        }

        private synchronized void heard(ProgressReport report) {
            RunProgress.receive(report);
            if (inference != null) {
                inference.receive(report);
            }
            ReportGauges known = gauges.get(report.executorId());
            if (known != null) {
                known.update(report);
            } else if (plugin != null) {
                String prefix = "executor." + report.executorId() + ".";
                gauges.put(report.executorId(), new ReportGauges(plugin.metricRegistry(), prefix, report));
            }
        }

        @Override
        public void shutdown() {
            if (inference != null) {
                inference.close();
            }
        }

        private void heard(CardNotice notice) {
            CardRoster.receive(notice);
            switch (notice) {
                case CardNotice.Taken _ -> {}
                case CardNotice.Lost lost -> {
                    log.warn("{}", CardRoster.troubles().getLast());
                    end(lost.executorId());
                }
                case CardNotice.Refused _ -> {
                    log.warn("{}", CardRoster.troubles().getLast());
                    if (CardRoster.held().isEmpty() && !isBeside) {
                        cancel();
                    }
                }
            }
        }

        /// Tasks that the executor has are done elsewhere and are not counted as failed. Another executor
        /// is started in its place, which takes other cards if there are any.
        private void end(String executorId) {
            if (executorId.equals(LOCAL)) {
                cancel();
            } else if (context != null && context.schedulerBackend() instanceof ExecutorAllocationClient client) {
                var ended = CollectionConverters.asScala(List.of(executorId)).toSeq();
                client.killExecutors(ended, false, false, true);
            }
        }

        private void cancel() {
            if (context != null) {
                context.cancelAllJobs();
            }
        }
    }

    private static final class Owner implements ExecutorPlugin {
        private @Nullable ExecutorReporter reporter;
        private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().name("millrace-progress").daemon().factory());

        @Override
        public void init(PluginContext plugin, Map<String, String> fromDriver) {
            ExecutorEngine.ofThisProcess().countAnew();
            if (plugin.conf().contains(SETUP)) {
                prepare(plugin, ExecutorSetup.ofJson(plugin.conf().get(SETUP)));
            }
            boolean isLocal = plugin.executorID().equals(LOCAL);
            ExecutorReporter reporter = new ExecutorReporter(plugin, ExecutorEngine.ofThisProcess(), !isLocal);
            this.reporter = reporter;
            // never completes, and reports of its own failures
            Future<?> _ =
                    timer.scheduleWithFixedDelay(reporter::tell, REPORT_MILLIS, REPORT_MILLIS, TimeUnit.MILLISECONDS);
        }

        private static void prepare(PluginContext plugin, ExecutorSetup setup) {
            ExecutorEngine engine = ExecutorEngine.ofThisProcess();
            ExecutorPlace.set(new ExecutorPlace(plugin.executorID()));
            if (setup.cards() == 0) {
                engine.prepare(setup.engine());
                return;
            }
            CardProvider provider = provider();
            List<String> offered = plugin.resources().values().stream()
                    .filter(resource -> provider.resources().contains(resource.name()))
                    .flatMap(resource -> Arrays.stream(resource.addresses()))
                    .toList();
            // in local mode nothing hands out cards
            if (!offered.isEmpty() || plugin.executorID().equals(LOCAL)) {
                CardLease cards = lease(plugin, setup, provider, offered);
                engine.bind(
                        cards,
                        reason -> tell(plugin, new CardNotice.Lost(plugin.executorID(), cards.addresses(), reason)));
                engine.prepare(setup.engine());
            } else if (setup.beside() != null) {
                engine.prepare(setup.beside());
            }
        }

        private static CardProvider provider() {
            return ServiceLoader.load(CardProvider.class, EnginePlugin.class.getClassLoader())
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException("no CardProvider on the class path"));
        }

        private static CardLease lease(
                PluginContext plugin, ExecutorSetup setup, CardProvider provider, List<String> offered) {
            // in local mode executors are there before the application has its name
            String run = plugin.conf().get("spark.app.id", "local-" + System.currentTimeMillis());
            String holder = "executor " + plugin.executorID();
            try {
                CardLease cards =
                        provider.lease(new CardRequest(run, holder, setup.cards(), offered, setup.cardLocks()));
                log.info("Executor {} of {} holds cards {}", plugin.executorID(), run, cards.addresses());
                tell(plugin, new CardNotice.Taken(plugin.executorID(), cards.addresses()));
                return cards;
            } catch (EngineException e) {
                tell(plugin, new CardNotice.Refused(plugin.executorID(), String.valueOf(e.getMessage())));
                throw e;
            }
        }

        /// Returns when the driver has heard it.
        private static void tell(PluginContext plugin, CardNotice notice) {
            try {
                Object _ = plugin.ask(notice);
            } catch (Exception e) {
                // the driver is gone or going, and this executor with it
                log.warn("{} not told", notice, e);
            }
        }

        @Override
        public void onTaskSucceeded() {
            if (reporter != null) {
                reporter.settle();
            }
        }

        @Override
        public void shutdown() {
            timer.shutdownNow();
            ExecutorEngine.ofThisProcess().close();
        }
    }
}
