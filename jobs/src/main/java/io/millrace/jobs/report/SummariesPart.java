package io.millrace.jobs.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jsoup.nodes.Element;

/// Measures of summaries beside the lead of their documents, and the rounds that long documents took.
final class SummariesPart implements JobPart {
    private static final List<String> SIDES = List.of("summaries", "lead", "difference");

    @Override
    public void write(RunFolder output, Page page) {
        JsonNode report = output.json(RunFolder.aside("report.json"));
        List<String> rounds = output.names("_rounds").stream()
                .filter(round -> output.folder("_rounds/" + round + "/rows").isRun())
                .toList();
        if (report.isMissingNode() && rounds.isEmpty()) {
            return;
        }
        Element section = page.section("summaries", "Summaries");
        if (!report.isMissingNode()) {
            measures(section, report);
        }
        if (!rounds.isEmpty()) {
            RunTable.write(
                    section,
                    "Rounds",
                    rounds.stream().map(round -> "_rounds/" + round + "/rows").toList(),
                    output);
        }
    }

    private static void measures(Element section, JsonNode report) {
        section.appendElement("p")
                .text(String.format(
                        Locale.ROOT,
                        "%,d documents, strategy %s, beside their first %d sentences. Means with the bounds of 95 %% of"
                                + " 1,000 resamples of the documents; a document without a summary scores 0.",
                        report.path("documents").asLong(),
                        Texts.shown(report.path("strategy").asText()),
                        report.path("lead_sentences").asInt()));
        Table table = Table.in(section, "", "measure", "#summaries", "#lead", "#difference");
        for (Map.Entry<String, JsonNode> measure : report.properties()) {
            if (measure.getValue().isObject()) {
                List<String> cells = SIDES.stream()
                        .map(side -> interval(measure.getValue().path(side)))
                        .toList();
                table.row(Texts.shown(measure.getKey()), cells.get(0), cells.get(1), cells.get(2));
            }
        }
    }

    private static String interval(JsonNode value) {
        return value.path("mean").isNumber()
                ? String.format(
                        Locale.ROOT,
                        "%.2f [%.2f, %.2f]",
                        value.path("mean").asDouble(),
                        value.path("low").asDouble(),
                        value.path("high").asDouble())
                : Numbers.NONE;
    }
}
