package io.millrace.quality;

import com.amazon.deequ.VerificationSuite;
import java.io.File;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.SparkSession;

/// The auditor's own Spark. One per process; closed by whoever opened it.
final class AuditSession implements AutoCloseable {

    private final SparkSession spark;

    private AuditSession(SparkSession spark) {
        this.spark = spark;
    }

    /// @param master a Spark master; `local[*]` judges in this process
    /// @param conf Spark settings, over the auditor's own
    static AuditSession open(String master, Map<String, String> conf) {
        SparkSession.Builder builder = SparkSession.builder()
                .appName("millrace-quality")
                .master(master)
                .config("spark.ui.enabled", "false")
                .config("spark.ui.showConsoleProgress", "false")
                .config("spark.sql.session.timeZone", "UTC")
                .config("spark.sql.catalogImplementation", "in-memory");
        if (isLocal(master)) {
            builder.config("spark.driver.host", "127.0.0.1")
                    .config("spark.driver.bindAddress", "127.0.0.1")
                    .config("spark.sql.shuffle.partitions", "8");
        } else {
            // executors need the classes that compute metrics, and what Spark 3.5 does not pass by itself on
            // JDK 25
            builder.config("spark.jars", String.join(",", jarsForExecutors()))
                    .config(
                            "spark.executor.extraJavaOptions",
                            "--add-modules=jdk.incubator.vector --enable-native-access=ALL-UNNAMED");
        }
        conf.forEach(builder::config);
        return new AuditSession(builder.getOrCreate());
    }

    SparkSession spark() {
        return spark;
    }

    /// What judged: software name to version.
    Map<String, String> versions() {
        Map<String, String> versions = new TreeMap<>();
        versions.put("java", Runtime.version().toString());
        versions.put("spark", spark.version());
        versions.put("deequ", versionOfJar(VerificationSuite.class));
        versions.put("millrace-quality", versionOfJar(AuditSession.class));
        return versions;
    }

    @Override
    public void close() {
        spark.stop();
    }

    private static boolean isLocal(String master) {
        return master.equals("local") || master.startsWith("local[");
    }

    private static List<String> jarsForExecutors() {
        List<String> jars = new ArrayList<>();
        String classPath = ManagementFactory.getRuntimeMXBean().getClassPath();
        for (String entry : classPath.split(File.pathSeparator, -1)) {
            String name = entry.substring(entry.lastIndexOf(File.separator) + 1);
            List<String> needed = List.of("deequ-", "breeze", "millrace-");
            if (name.endsWith(".jar") && needed.stream().anyMatch(name::startsWith)) {
                jars.add(Path.of(entry).toUri().toString());
            }
        }
        return jars;
    }

    /// The version in the name of the jar a class came from; `development` for a folder of classes.
    private static String versionOfJar(Class<?> type) {
        String location =
                type.getProtectionDomain().getCodeSource().getLocation().getPath();
        String name = Arrays.asList(location.split("/", -1)).getLast();
        int dash = 0;
        while (dash >= 0 && dash + 1 < name.length() && !Character.isDigit(name.charAt(dash + 1))) {
            dash = name.indexOf('-', dash + 1);
        }
        boolean versioned = dash > 0 && name.endsWith(".jar");
        return versioned ? name.substring(dash + 1, name.length() - ".jar".length()) : "development";
    }
}
