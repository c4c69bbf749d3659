package io.millrace.jobs.report;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.jobs.Builds;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jsoup.nodes.Element;
import org.jspecify.annotations.Nullable;

/// Two runs side by side.
///
/// @param runA folder of the first run's manifest; likewise the second
record ComparePage(RunFolder a, RunFolder b, RunFolder runA, RunFolder runB, List<Comparison> comparisons) {

    String html() {
        Page page = new Page("A: " + a.path().getName() + ", B: " + b.path().getName());
        runs(page.section("runs", "The runs"));
        for (int at = 0; at < comparisons.size(); at++) {
            write(page.section("pairs-" + at, comparisons.get(at).title()), comparisons.get(at));
        }
        return page.html("Written by Millrace " + Builds.version() + " about " + a.location() + " and " + b.location());
    }

    private void runs(Element section) {
        JsonNode first = runA.json(RunFolder.aside("run.json"));
        JsonNode second = runB.json(RunFolder.aside("run.json"));
        Table table = Table.in(section, "", "", "A", "B");
        table.row("output", Texts.shown(a.location()), Texts.shown(b.location()));
        for (String key : List.of("/run_id", "/state", "/gate/verdict", "/planned_rows", "/seed", "/digest")) {
            table.row(key.substring(1).replace('/', ' '), text(first.at(key)), text(second.at(key)));
        }
        Map<String, String[]> settings = new TreeMap<>();
        for (String group : List.of("/fingerprint", "/versions")) {
            first.at(group)
                    .properties()
                    .forEach(entry -> settings.computeIfAbsent(
                                            entry.getKey(), _ -> new String[] {Numbers.NONE, Numbers.NONE})[0] =
                            entry.getValue().asText());
            second.at(group)
                    .properties()
                    .forEach(entry -> settings.computeIfAbsent(
                                            entry.getKey(), _ -> new String[] {Numbers.NONE, Numbers.NONE})[1] =
                            entry.getValue().asText());
        }
        settings.values().removeIf(both -> Objects.equals(both[0], both[1]));
        if (settings.isEmpty()) {
            section.appendElement("p").text("All settings that can change an answer are the same.");
        } else {
            Table differences = Table.in(section, "Settings that are not the same", "", "A", "B");
            settings.forEach(
                    (name, both) -> differences.row(Texts.shown(name), Texts.shown(both[0]), Texts.shown(both[1])));
        }
    }

    private static String text(JsonNode value) {
        return value.isMissingNode() || value.isNull() ? Numbers.NONE : Texts.shown(value.asText());
    }

    private static void write(Element section, Comparison comparison) {
        section.appendElement("p").text(summary(comparison));
        Table table = Table.in(
                section,
                "B minus A over the pairs that have the figure, with the bounds of 95 % of 1,000 resamples of the pairs;"
                        + " p is of McNemar's exact test",
                "figure",
                "#pairs",
                "#A",
                "#B",
                "#B − A",
                "#95 % interval",
                "#only A",
                "#only B",
                "#p");
        for (Paired.Line line : comparison.lines()) {
            Element row = table.row(
                    Texts.shown(line.name()),
                    Numbers.count(line.pairs()),
                    Numbers.plain(line.a()),
                    Numbers.plain(line.b()),
                    Numbers.plain(line.difference().mean()),
                    "[" + Numbers.plain(line.difference().low()) + ", "
                            + Numbers.plain(line.difference().high()) + "]",
                    line.isBinary() ? Numbers.count(line.onlyA()) : Numbers.NONE,
                    line.isBinary() ? Numbers.count(line.onlyB()) : Numbers.NONE,
                    line.isBinary() ? Numbers.plain(line.p()) : Numbers.NONE);
            if (line.isClear()) {
                row.child(4).addClass("warn");
            }
        }
        if (!comparison.changes().isEmpty()) {
            Table changes = Table.in(
                    section,
                    "Of the " + Numbers.count(comparison.changed()) + " that changed, the "
                            + comparison.changes().size() + " that changed most",
                    "",
                    "A",
                    "B",
                    "reference");
            comparison.changes().forEach(change -> {
                Element row = changes.row(Texts.shown(change.name()), "", "", Texts.shown(change.beside()));
                side(row.child(1), change.statusA(), change.a());
                side(row.child(2), change.statusB(), change.b());
            });
        }
    }

    private static void side(Element cell, String status, @Nullable String text) {
        cell.appendElement("div").addClass("soft").text(Texts.shown(status));
        if (text != null) {
            Page.text(cell, Texts.shown(text));
        }
    }

    /// How much was paired, in a sentence.
    static String summary(Comparison comparison) {
        return String.format(
                Locale.ROOT,
                "%,d pairs, by %s; %,d only in A and %,d only in B were not paired. %,d of the pairs changed, %,d did"
                        + " not.",
                comparison.pairs(),
                comparison.by(),
                comparison.onlyA(),
                comparison.onlyB(),
                comparison.changed(),
                comparison.pairs() - comparison.changed());
    }
}
