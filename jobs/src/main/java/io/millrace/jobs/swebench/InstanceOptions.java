package io.millrace.jobs.swebench;

import io.millrace.jobs.ConfigException;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine.Option;

/// Which instances, and where their repositories are.
final class InstanceOptions {

    @Option(
            names = "--instances",
            paramLabel = "FILE",
            required = true,
            description = "Official file of instances: .json, .jsonl or .parquet. Repeatable.")
    private List<String> files = new ArrayList<>();

    @Option(
            names = "--instance-ids",
            paramLabel = "ID",
            split = ",",
            description = "These instances are the dataset; all others of the files are not. Default: all.")
    private List<String> ids = new ArrayList<>();

    @Option(
            names = "--repositories",
            paramLabel = "DIR",
            required = true,
            description = "Folder of clones, bare or not, each named owner__name; the same on every executor.")
    private String repositories = "";

    Dataset dataset(SparkSession session) {
        Dataset dataset = Dataset.read(session, files, ids);
        if (dataset.instances().isEmpty()) {
            throw new ConfigException(List.of("--instances: expected an instance in " + files + ", got none"));
        }
        return dataset;
    }

    String repositories() {
        return repositories;
    }
}
