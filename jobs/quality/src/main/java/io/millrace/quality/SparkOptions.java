package io.millrace.quality;

import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Option;

/// Where the auditor computes.
final class SparkOptions {

    @Option(
            names = "--quality-master",
            paramLabel = "URL",
            description = "Spark master of the auditor. Default: ${DEFAULT-VALUE}, this process.")
    private String master = "local[*]";

    @Option(names = "--conf", paramLabel = "KEY=VALUE", description = "Spark setting of the auditor; repeatable.")
    private Map<String, String> conf = new LinkedHashMap<>();

    AuditSession open() {
        return AuditSession.open(master, conf);
    }
}
