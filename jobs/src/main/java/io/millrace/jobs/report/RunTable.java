package io.millrace.jobs.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import org.jsoup.nodes.Element;

/// Runs that a job had, a line each.
final class RunTable {
    private static final int MOST = 200;

    private RunTable() {}

    /// @param folders of the runs, in the output
    static void write(Element section, String caption, List<String> folders, RunFolder output) {
        Table table = Table.in(
                section,
                caption,
                "run",
                "state",
                "gate",
                "#planned",
                "#ok",
                "#error",
                "#prompt tokens",
                "#completion tokens",
                "model");
        for (String folder : folders.subList(0, Math.min(MOST, folders.size()))) {
            JsonNode manifest = output.folder(folder).json(RunFolder.aside("run.json"));
            table.row(
                    Texts.shown(folder),
                    Texts.shown(manifest.path("state").asText()),
                    Texts.shown(manifest.path("gate").path("verdict").asText("off")),
                    Numbers.count(manifest.path("planned_rows").asLong()),
                    Numbers.count(manifest.path("counts").path("ok").asLong()),
                    Numbers.count(manifest.path("counts").path("error").asLong()),
                    Numbers.count(manifest.path("tokens").path("prompt").asLong()),
                    Numbers.count(manifest.path("tokens").path("completion").asLong()),
                    Texts.shown(manifest.path("engine").path("model").asText()));
        }
        if (folders.size() > MOST) {
            section.appendElement("p").addClass("soft").text("and " + (folders.size() - MOST) + " further runs");
        }
    }
}
