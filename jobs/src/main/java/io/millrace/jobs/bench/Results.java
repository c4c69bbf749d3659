package io.millrace.jobs.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.DoubleStream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/// Everything measured of one model on one machine, as the JSON document that is kept: a run adds to what
/// earlier runs measured, so that a long table can be measured in pieces.
final class Results {
    private static final String WORKS = "works";
    private static final String RATES = "tokens_per_second";
    private static final String CEILINGS = "ceilings";
    private static final String TUNED = "tuned";
    private static final String TRIED = "tried";
    private static final String TRIALS = "trials";

    private final @Nullable Path file;
    private final ObjectNode document;

    private Results(@Nullable Path file, ObjectNode document) {
        this.file = file;
        this.document = document;
    }

    /// Reads what is there.
    ///
    /// @param file where {@link #write} keeps the document; null for nowhere
    static Results open(@Nullable Path file) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        return new Results(
                file,
                file != null && Files.exists(file)
                        ? (ObjectNode) mapper.readTree(Files.readString(file))
                        : mapper.createObjectNode());
    }

    void write() throws IOException {
        if (file != null) {
            Files.writeString(file, document.toPrettyString() + "\n");
        }
    }

    /// A fact about the machine or the model.
    ObjectNode facts(String about) {
        return document.withObjectProperty(about);
    }

    void addRate(Work work, String engine, String settings, double rate) {
        ObjectNode entry = entry(work, engine);
        entry.remove("failure");
        entry.put("settings", settings).withArrayProperty(RATES).add(rate);
    }

    void addFailure(Work work, String engine, String settings, String reason) {
        entry(work, engine).put("settings", settings).put("failure", reason);
    }

    private ObjectNode entry(Work work, String engine) {
        return document.withObjectProperty(WORKS)
                .withObjectProperty(work.toString())
                .withObjectProperty(engine);
    }

    void addCeiling(String name, double value) {
        document.withObjectProperty(CEILINGS).withArrayProperty(name).add(value);
    }

    void addTrial(String name, JsonNode outcome) {
        document.withObjectProperty(TRIALS).set(name, outcome);
    }

    JsonNode trials() {
        return document.path(TRIALS);
    }

    void tune(String peer, Work work, String settings) {
        document.withObjectProperty(TUNED).withObjectProperty(peer).put(work.toString(), settings);
    }

    void addTried(String peer, Work work, String settings, Object answer) {
        document.withObjectProperty(TRIED)
                .withObjectProperty(peer)
                .withObjectProperty(work.toString())
                .putPOJO(settings, answer);
    }

    /// What was tuned for a work; for other batch sizes what was tuned for 64 streams.
    Optional<String> tuned(String peer, Work work) {
        JsonNode settings = document.path(TUNED).path(peer);
        JsonNode own = settings.path(work.toString());
        JsonNode chosen = own.isMissingNode() && work.streams() > 1 ? settings.path("decode:64") : own;
        return chosen.isMissingNode() ? Optional.empty() : Optional.of(chosen.asText());
    }

    List<Work> works() {
        List<Work> works = new ArrayList<>();
        document.path(WORKS)
                .fieldNames()
                .forEachRemaining(word -> Work.parse(word).ifPresent(works::add));
        works.sort((a, b) -> Integer.compare(a.streams(), b.streams()));
        return works;
    }

    /// Names of the engines that were asked to do a work.
    List<String> engines(Work work) {
        List<String> engines = new ArrayList<>();
        document.path(WORKS).path(work.toString()).fieldNames().forEachRemaining(engines::add);
        return engines;
    }

    JsonNode entry(String work, String engine) {
        return document.path(WORKS).path(work).path(engine);
    }

    List<Double> rates(Work work, String engine) {
        return StreamSupport.stream(entry(work.toString(), engine).path(RATES).spliterator(), false)
                .map(JsonNode::asDouble)
                .toList();
    }

    OptionalDouble rate(Work work, String engine) {
        return median(rates(work, engine).stream().mapToDouble(Double::doubleValue));
    }

    /// The best of all batches of at most so many streams: how fast an engine serves that many.
    OptionalDouble bestRate(Work work, String engine) {
        return works().stream()
                .filter(other -> !other.isPrefill() && other.streams() <= work.streams())
                .flatMapToDouble(other -> rate(other, engine).stream())
                .max();
    }

    OptionalDouble ceiling(String name) {
        JsonNode values = document.path(CEILINGS).path(name);
        return values instanceof ArrayNode array
                ? median(StreamSupport.stream(array.spliterator(), false).mapToDouble(JsonNode::asDouble))
                : OptionalDouble.empty();
    }

    double fact(String about, String name) {
        return document.path(about).path(name).asDouble();
    }

    String text(String about, String name) {
        return document.path(about).path(name).asText();
    }

    static OptionalDouble median(DoubleStream values) {
        double[] sorted = values.sorted().toArray();
        int middle = sorted.length / 2;
        return switch (sorted.length) {
            case 0 -> OptionalDouble.empty();
            default ->
                OptionalDouble.of(sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2);
        };
    }

    /// Every figure by name.
    static ObjectNode object(Map<String, ?> figures) {
        return new ObjectMapper().valueToTree(figures);
    }
}
