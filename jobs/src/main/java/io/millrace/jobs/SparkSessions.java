package io.millrace.jobs;

import io.millrace.udf.EnginePlugin;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.spark.sql.SparkSession;

/// Opens the driver's session with what inference needs; what the user gives wins.
public final class SparkSessions {

    private SparkSessions() {}

    /// For inference. The caller stops the session.
    public static SparkSession open(JobConfig config) {
        Map<String, String> conf = defaults(config.sparkMaster());
        conf.putAll(signsOfLife(config.stallSeconds()));
        conf.putAll(EnginePlugin.configuration(CardStage.setup(config)));
        conf.putAll(CardStage.configuration(config));
        conf.putAll(config.sparkConf());
        return open("millrace", config.sparkMaster(), conf);
    }

    /// For a run's work that needs no engine, with what the user gives. The caller stops the session.
    public static SparkSession openWithoutEngine(JobConfig config) {
        Map<String, String> conf = defaults(config.sparkMaster());
        conf.putAll(config.sparkConf());
        return open("millrace", config.sparkMaster(), conf);
    }

    /// For work without an engine. The caller stops the session.
    public static SparkSession open(String name, String master) {
        return open(name, master, defaults(master));
    }

    private static SparkSession open(String name, String master, Map<String, String> conf) {
        SparkSession.Builder builder = SparkSession.builder().appName(name).master(master);
        conf.forEach(builder::config);
        return builder.getOrCreate();
    }

    /// An executor that gives no sign of life for so long is lost, and its tasks go to others.
    private static Map<String, String> signsOfLife(int seconds) {
        return Map.of(
                "spark.network.timeout", seconds + "s",
                "spark.executor.heartbeatInterval", Math.max(500, seconds * 1000 / 6) + "ms",
                "spark.network.timeoutInterval", Math.max(1, seconds / 4) + "s");
    }

    private static Map<String, String> defaults(String master) {
        Map<String, String> conf = new LinkedHashMap<>();
        // a short run on one machine ends before its page is looked at, and starts sooner without one
        conf.put("spark.ui.enabled", String.valueOf(!master.startsWith("local")));
        conf.put("spark.ui.showConsoleProgress", "false");
        // at the address of the UI, for as long as that is there
        conf.put(
                "spark.metrics.conf.*.sink.prometheusServlet.class", "org.apache.spark.metrics.sink.PrometheusServlet");
        conf.put("spark.metrics.conf.*.sink.prometheusServlet.path", "/metrics/prometheus");
        conf.put("spark.log.level", "WARN");
        // a second copy of a slow task would only make the engine slower
        conf.put("spark.speculation", "false");
        conf.put("spark.sql.debug.maxToStringFields", "1000");
        conf.put("spark.sql.shuffle.partitions", "8");
        // of a job with many shards the driver would keep every task for its page
        conf.put("spark.ui.retainedTasks", "1000");
        if (master.startsWith("local")) {
            conf.put("spark.driver.host", "127.0.0.1");
            conf.put("spark.driver.bindAddress", "127.0.0.1");
        }
        return conf;
    }
}
