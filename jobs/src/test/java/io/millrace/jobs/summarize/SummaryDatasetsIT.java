package io.millrace.jobs.summarize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.jobs.Millrace;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// Published documents with their references, summarised by the bundled model.
@EnabledIfSystemProperty(
        named = "datasets",
        matches = "true",
        disabledReason = "takes a minute on third-party data: run with -Ddatasets=true")
class SummaryDatasetsIT {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path dir = Path.of("");

    private static List<JsonNode> shared(String name, int rows) throws IOException {
        Path file = Millrace.home()
                .root()
                .resolveSibling("shared")
                .resolve("datasets")
                .resolve(name);
        assumeTrue(Files.exists(file), () -> "skipped: " + file + " is absent");
        List<JsonNode> documents = new ArrayList<>();
        try (Stream<String> lines = Files.lines(file)) {
            for (String line : lines.limit(rows).toList()) {
                documents.add(JSON.readTree(line));
            }
        }
        return documents;
    }

    private JsonNode report(List<ObjectNode> documents, String... more) throws IOException {
        Path input = Files.write(
                dir.resolve("in.jsonl"),
                documents.stream().map(JsonNode::toString).toList());
        Path output = dir.resolve("out");
        List<String> args = new ArrayList<>(List.of("summarize", "--input", input.toString()));
        args.addAll(List.of("--output", output.toString(), "--master", "local[2]", "--no-gate", "--no-report"));
        args.addAll(List.of("--text-column", "text", "--reference-column", "references"));
        args.addAll(List.of("--max-tokens", "28", "-c", "prompt.max-tokens=128"));
        args.addAll(Arrays.asList(more));
        StringWriter err = new StringWriter();
        CommandLine commandLine = Millrace.commandLine();
        commandLine.setOut(new PrintWriter(new StringWriter()));
        commandLine.setErr(new PrintWriter(err));
        assertThat(commandLine.execute(args.toArray(String[]::new)))
                .as(err.toString())
                .isZero();
        return JSON.readTree(output.resolve("_millrace/report.json").toFile());
    }

    @Test
    void sciTldr_papersAbstracts_refined() throws IOException {
        List<ObjectNode> documents = new ArrayList<>();
        for (JsonNode paper : shared("scitldr/test.jsonl", 3)) {
            List<String> sentences = new ArrayList<>();
            paper.get("source").forEach(sentence -> sentences.add(sentence.asText()));
            ObjectNode document = JSON.createObjectNode().put("text", String.join(" ", sentences));
            document.set("references", paper.get("target"));
            documents.add(document);
        }

        JsonNode report = report(documents, "--strategy", "refine");

        assertThat(report.at("/documents").asInt()).isEqualTo(3);
        assertThat(report.at("/rouge1/lead/mean").asDouble()).isBetween(5.0, 95.0);
        assertThat(report.at("/chrf/summaries/mean").asDouble()).isPositive();
        assertThat(report.at("/length_ratio/summaries/mean").asDouble()).isBetween(0.1, 50.0);
    }

    @Test
    void squality_story_inRoundsUntilItFits() throws IOException {
        JsonNode story = shared("squality/dev.jsonl", 1).getFirst();
        ArrayNode references = JSON.createArrayNode();
        story.at("/questions/0/responses").forEach(response -> references.add(response.get("response_text")));
        ObjectNode document =
                JSON.createObjectNode().put("text", story.get("document").asText());
        document.set("references", references);

        JsonNode report = report(List.of(document), "--strategy", "map-reduce");

        assertThat(references).hasSize(4);
        assertThat(report.at("/rougeLsum/lead/mean").asDouble()).isPositive();
        assertThat(report.at("/length_ratio/summaries/mean").asDouble()).isLessThan(1);
        assertThat(dir.resolve("out/_rounds/2/rows/_SUCCESS")).exists();
        assertThat(dir.resolve("out/_rounds/last/requests")).isDirectory();
    }
}
