package io.millrace.jobs.swebench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.jobs.JobException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/// A predictions file: `.jsonl`, or `.json` with an array or an object keyed by instance.
final class Predictions {
    /// Stands for the gold patches in place of a file, and is the model's name then.
    static final String GOLD = "gold";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String INSTANCE_ID = "instance_id";
    private static final String MODEL = "model_name_or_path";
    private static final String PATCH = "model_patch";

    private Predictions() {}

    /// By instance, in the order of the file.
    ///
    /// @param file a path, or {@link #GOLD}
    /// @throws JobException if it cannot be read, names an instance that the dataset does not have, or
    ///     one twice
    static Map<String, Prediction> read(String file, Dataset dataset, Configuration conf) {
        if (file.equals(GOLD)) {
            Map<String, Prediction> gold = new LinkedHashMap<>();
            dataset.instances().forEach((id, instance) -> gold.put(id, new Prediction(id, GOLD, instance.patch())));
            return gold;
        }
        Map<String, Prediction> predictions = new LinkedHashMap<>();
        List<String> unknown = new ArrayList<>();
        for (JsonNode node : nodes(file, conf)) {
            Prediction prediction = of(node, file);
            if (predictions.put(prediction.instanceId(), prediction) != null) {
                throw new JobException(
                        "predictions " + file + ": expected " + prediction.instanceId() + " once, got it twice");
            }
            if (!dataset.instances().containsKey(prediction.instanceId())) {
                unknown.add(prediction.instanceId());
            }
        }
        if (!unknown.isEmpty()) {
            throw new JobException("predictions " + file + ": expected instances of the dataset, got " + unknown);
        }
        if (predictions.isEmpty()) {
            throw new JobException("predictions " + file + ": expected a prediction, got none");
        }
        return predictions;
    }

    private static Iterable<JsonNode> nodes(String file, Configuration conf) {
        try {
            String text = Dataset.text(new Path(file), conf);
            if (file.endsWith(".jsonl")) {
                List<JsonNode> nodes = new ArrayList<>();
                for (String line : text.lines().filter(line -> !line.isBlank()).toList()) {
                    nodes.add(JSON.readTree(line));
                }
                return nodes;
            }
            if (file.endsWith(".json")) {
                return JSON.readTree(text);
            }
        } catch (IOException e) {
            throw new JobException("predictions " + file + ": expected to be readable, got " + e.getMessage(), e);
        }
        throw new JobException("predictions " + file + ": expected .json or .jsonl");
    }

    private static Prediction of(JsonNode node, String file) {
        JsonNode id = node.path(INSTANCE_ID);
        if (!id.isTextual()) {
            throw new JobException("predictions " + file + ": expected objects with " + INSTANCE_ID + ", got " + node);
        }
        JsonNode patch = node.path(PATCH);
        return new Prediction(
                id.textValue(), node.path(MODEL).asText("None"), patch.isTextual() ? patch.textValue() : null);
    }

    /// A line of the file.
    static String line(Prediction prediction) {
        ObjectNode node = JSON.createObjectNode()
                .put(INSTANCE_ID, prediction.instanceId())
                .put(MODEL, prediction.model())
                .put(PATCH, prediction.patch());
        try {
            return JSON.writeValueAsString(node) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of texts is JSON", e);
        }
    }
}
