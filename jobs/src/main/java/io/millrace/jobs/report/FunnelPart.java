package io.millrace.jobs.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import org.jsoup.nodes.Element;

/// What became of the rows of a generated data set, step by step, from `funnel.json`.
final class FunnelPart implements JobPart {

    @Override
    public void write(RunFolder output, Page page) {
        JsonNode steps = output.json("funnel.json").path("steps");
        if (!steps.isArray()) {
            return;
        }
        Element section = page.section("funnel", "Funnel");
        long most = 1;
        for (JsonNode step : steps) {
            most = Math.max(most, step.path("made").asLong());
        }
        Table table = Table.in(section, "Rows by step", "step", "kind", "#in", "#made", "#kept", "dropped", "kept");
        List<String> runs = new ArrayList<>();
        for (JsonNode step : steps) {
            List<String> dropped = new ArrayList<>();
            step.path("dropped")
                    .properties()
                    .forEach(reason -> dropped.add(reason.getKey() + " "
                            + Numbers.count(reason.getValue().asLong())));
            long kept = step.path("kept").asLong();
            Element line = table.row(
                    Texts.shown(step.path("name").asText()),
                    Texts.shown(step.path("kind").asText()),
                    Numbers.count(step.path("in").asLong()),
                    Numbers.count(step.path("made").asLong()),
                    Numbers.count(kept),
                    Texts.shown(String.join(", ", dropped)),
                    "");
            RunParts.meter(line, (double) kept / most);
            step.path("runs")
                    .forEach(run -> runs.add("steps/" + run.path("folder").asText()));
            step.path("notes")
                    .forEach(note -> section.appendElement("p")
                            .text(Texts.shown(step.path("name").asText() + ": " + note.asText())));
        }
        if (!runs.isEmpty()) {
            RunTable.write(
                    section, "Runs of models; each has a report of its own: millrace report FOLDER", runs, output);
        }
    }
}
