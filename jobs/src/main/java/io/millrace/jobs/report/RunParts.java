package io.millrace.jobs.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import io.millrace.jobs.plan.Deviation;
import io.millrace.jobs.report.RowProfile.Measure;
import io.millrace.jobs.report.TimeLine.Counter;
import io.millrace.schemas.AuditExchange.Verdict;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import org.apache.spark.sql.SparkSession;
import org.jsoup.nodes.Element;
import org.jspecify.annotations.Nullable;

/// The parts of a page that every run has, whatever its job.
final class RunParts {
    private static final int MOST_FILES = 100;
    private static final int MOST_SETTINGS = 60_000;
    private static final List<String> STATES = List.of("ok", "error", "filtered", "skipped");

    private final RunFolder folder;
    private final JsonNode manifest;
    private final @Nullable RowProfile rows;
    private final TimeLine time;

    private RunParts(RunFolder folder, JsonNode manifest, @Nullable RowProfile rows) {
        this.folder = folder;
        this.manifest = manifest;
        this.rows = rows;
        time = TimeLine.read(folder);
    }

    /// Reads everything that a run has left.
    static RunParts read(SparkSession session, RunFolder folder) {
        JsonNode manifest = folder.manifest();
        RowProfile rows = folder.hasRows()
                ? RowProfile.read(
                        session,
                        folder.location(),
                        manifest.path("planned_rows").asLong(),
                        manifest.path("seed").asLong())
                : null;
        return new RunParts(folder, manifest, rows);
    }

    /// What the command of the last start was called.
    String job() {
        return lastStart().path("command").path(0).asText("run");
    }

    private JsonNode lastStart() {
        JsonNode starts = manifest.path("starts");
        return starts.path(starts.size() - 1);
    }

    /// Writes all parts but the tiles and {@link #rouge}.
    void write(Page page) {
        whatItWas(page.section("run", "What it was"));
        conservation(page.section("rows", "Rows"));
        if (rows != null) {
            errors(page, rows);
            distributions(page.section("lengths", "Tokens and lengths"), rows);
        }
        throughput(page.section("time", "Throughput"));
        if (rows != null) {
            latency(page.section("latency", "Latency"), rows);
        }
        ExpertLoad experts = ExpertLoad.read(folder);
        if (!experts.layers().isEmpty()) {
            experts.write(page.section("experts", "Expert load"));
        }
        gate(page.section("gate", "Gate"));
        plan(page.section("cost", "Plan and cost"));
        if (rows != null) {
            answers(page.section("examples", "Some answers"), rows);
        }
    }

    /// Writes what is to be seen first.
    void tiles(Element parent) {
        Map<String, String> tiles = new LinkedHashMap<>();
        tiles.put("state", manifest.path("state").asText());
        JsonNode gate = manifest.path("gate");
        tiles.put("gate", gate.path("verdict").asText("off"));
        tiles.put("rows planned", Numbers.count(manifest.path("planned_rows").asLong()));
        tiles.put("rows ok", Numbers.count(state("ok")));
        tiles.put("rows error", Numbers.count(state("error")));
        if (gate.path("quarantined").asLong() > 0) {
            tiles.put("rows set aside", Numbers.count(gate.path("quarantined").asLong()));
        }
        tiles.put("tokens in", Numbers.count(tokens("prompt")));
        tiles.put("tokens out", Numbers.count(tokens("completion")));
        tiles.put("time", Numbers.clock(seconds()));
        tiles.put("tokens out/s", Numbers.plain(tokens("completion") / seconds()));
        Page.tiles(parent, tiles);
    }

    private long state(String state) {
        if (rows == null) {
            return 0;
        }
        return rows.byFile().values().stream()
                .mapToLong(counts -> counts.getOrDefault(state, 0L))
                .sum();
    }

    /// As the manifest adds them up; of a run that is not complete, those of the answered rows.
    private long tokens(String kind) {
        JsonNode sums = manifest.path("tokens");
        return sums.isMissingNode() && rows != null
                ? (long) rows.distribution(Measure.valueOf(kind.toUpperCase(Locale.ROOT) + "_TOKENS"))
                        .sum()
                : sums.path(kind).asLong();
    }

    /// How long the run ran: as its samples say, or from the begin to the end of each start.
    private double seconds() {
        if (!time.isEmpty()) {
            return time.seconds();
        }
        double seconds = 0;
        for (JsonNode start : manifest.path("starts")) {
            try {
                seconds += Duration.between(
                                        Instant.parse(start.path("started_at").asText()),
                                        Instant.parse(start.path("ended_at").asText()))
                                .toMillis()
                        / 1000.0;
            } catch (DateTimeParseException _) {
                // a start that was killed did not say when
            }
        }
        return seconds;
    }

    private void whatItWas(Element section) {
        Table facts = Table.in(section, "", "", "");
        JsonNode engine = manifest.path("engine");
        facts.row(
                "model",
                Texts.shown(engine.path("model").asText() + ", revision "
                        + engine.path("revision").asText() + ", "
                        + engine.path("quantization").asText()));
        facts.row("weights, SHA-256", Texts.shown(engine.path("weights_sha").asText()));
        facts.row("kernels", Texts.shown(engine.path("kernel_ring").asText()));
        if (rows != null) {
            rows.devices()
                    .forEach((device, count) ->
                            facts.row("computed on", Texts.shown(device) + ": " + Numbers.count(count) + " rows"));
        }
        List<String> versions = new ArrayList<>();
        manifest.path("versions")
                .properties()
                .forEach(version ->
                        versions.add(version.getKey() + " " + version.getValue().asText()));
        facts.row("versions", Texts.shown(String.join(", ", versions)));
        facts.row("seed", manifest.path("seed").asText());
        facts.row("run", Texts.shown(manifest.path("run_id").asText()));
        facts.row("fingerprint", Texts.shown(manifest.path("config_fingerprint").asText()));
        facts.row("digest of all rows", Texts.shown(manifest.path("digest").asText(Numbers.NONE)));
        facts.row("output", Texts.shown(folder.location()));
        starts(section);
        Page.text(
                Page.details(section, "resolved configuration"),
                Texts.shown(yaml(manifest.path("config")), MOST_SETTINGS));
        Page.text(
                Page.details(section, "what the fingerprint is made of"),
                Texts.shown(yaml(manifest.path("fingerprint")), MOST_SETTINGS));
    }

    private void starts(Element section) {
        Table table = Table.in(section, "Starts", "began", "ended", "state", "master", "command");
        for (JsonNode start : manifest.path("starts")) {
            List<String> words = new ArrayList<>(List.of("millrace"));
            start.path("command").forEach(word -> words.add(quoted(word.asText())));
            table.row(
                    start.path("started_at").asText(),
                    start.path("ended_at").asText(Numbers.NONE),
                    Texts.shown(start.path("state").asText("running")),
                    Texts.shown(start.path("master").asText()),
                    Texts.shown(String.join(" ", words), 4 * Texts.MOST));
        }
    }

    private static String quoted(String word) {
        return word.matches("[\\w@%+=:,./*-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
    }

    private static String yaml(JsonNode node) {
        try {
            return new ObjectMapper(new YAMLFactory().disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER))
                    .writeValueAsString(node);
        } catch (IOException e) {
            throw new IllegalStateException("JSON can be written as YAML", e);
        }
    }

    private void conservation(Element section) {
        long samples = manifest.path("samples").asLong(1);
        List<FileRows> files = new ArrayList<>();
        for (JsonNode input : manifest.path("inputs")) {
            String name = input.path("file").asText();
            files.add(new FileRows(
                    name,
                    input.path("rows").asLong() * samples,
                    rows == null ? new TreeMap<>() : rows.byFile().getOrDefault(name, new TreeMap<>())));
        }
        long planned = files.stream().mapToLong(FileRows::planned).sum();
        long found = rows == null ? 0 : rows.rows();
        boolean whole = files.stream().allMatch(file -> file.planned() == file.found()) && planned == found;
        section.appendElement("p")
                .addClass(whole ? "good" : "bad")
                .text(String.format(
                        Locale.ROOT,
                        whole
                                ? "%,d rows in, %,d rows out: no row was lost, and none is there twice over."
                                : "%,d rows were planned, %,d are in the output: the run is not complete, or rows are"
                                        + " missing.",
                        planned,
                        found));
        // what does not agree first, then the largest
        files.sort(Comparator.comparing((FileRows file) -> file.planned() == file.found())
                .thenComparing(Comparator.comparingLong(FileRows::planned).reversed())
                .thenComparing(FileRows::name));
        Table table = Table.in(
                section,
                samples == 1
                        ? "Rows by input file, counted in the output"
                        : "Rows by input file, " + samples + " samples each, counted in the output",
                "input file",
                "#planned",
                "#ok",
                "#error",
                "#filtered",
                "#skipped",
                "#found − planned");
        files.stream().limit(MOST_FILES).forEach(file -> file.write(table));
        if (files.size() > MOST_FILES) {
            FileRows.of(
                            (files.size() - MOST_FILES) + " further files, all added up",
                            files.subList(MOST_FILES, files.size()))
                    .write(table);
        }
        if (files.size() > 1) {
            FileRows.of("all " + files.size() + " files", files).write(table);
        }
        if (rows != null) {
            Table finishes = Table.in(section, "How answers ended", "finish_reason", "#rows", "#share");
            rows.finishes()
                    .forEach((finish, count) -> finishes.row(
                            Texts.shown(finish), Numbers.count(count), Numbers.percent((double) count / found)));
        }
    }

    /// Rows of an input file, or of several.
    private record FileRows(String name, long planned, SortedMap<String, Long> counts) {

        static FileRows of(String name, List<FileRows> files) {
            SortedMap<String, Long> counts = new TreeMap<>();
            files.forEach(file -> file.counts().forEach((state, count) -> counts.merge(state, count, Long::sum)));
            return new FileRows(
                    name, files.stream().mapToLong(FileRows::planned).sum(), counts);
        }

        long found() {
            return counts.values().stream().mapToLong(Long::longValue).sum();
        }

        void write(Table table) {
            List<String> cells = new ArrayList<>(List.of(Texts.shown(name), Numbers.count(planned)));
            STATES.forEach(state -> cells.add(Numbers.count(counts.getOrDefault(state, 0L))));
            cells.add(Numbers.count(found() - planned));
            Element line = table.row(cells.toArray(String[]::new));
            if (found() != planned) {
                line.child(line.childrenSize() - 1).addClass("bad");
            }
        }
    }

    private static void errors(Page page, RowProfile rows) {
        if (rows.errors().isEmpty()) {
            return;
        }
        Element section = page.section("errors", "Errors");
        Table table = Table.in(section, "", "class / code", "#rows", "#of these may succeed later");
        rows.errors()
                .forEach((name, kind) ->
                        table.row(Texts.shown(name), Numbers.count(kind.rows()), Numbers.count(kind.retryable())));
        rows.errors().forEach((name, kind) -> {
            Element details = Page.details(section, "examples of " + Texts.shown(name, 100));
            examples(details, kind.examples(), "message", "input as it was found");
        });
    }

    private static void examples(
            Element parent, Iterable<RowProfile.Example> examples, String textTitle, String besideTitle) {
        Table table = Table.in(parent, "", "row", textTitle, besideTitle);
        examples.forEach(example -> table.row(
                Texts.shown(example.customId() == null ? example.place() : example.customId() + "\n" + example.place()),
                Texts.shown(example.text()),
                Texts.shown(example.beside())));
    }

    private static void distributions(Element section, RowProfile rows) {
        List<Measure> measures = List.of(
                Measure.PROMPT_TOKENS,
                Measure.CACHED_TOKENS,
                Measure.COMPLETION_TOKENS,
                Measure.REASONING_TOKENS,
                Measure.SOURCE_CHARS,
                Measure.OUTPUT_CHARS);
        quantiles(section, rows, measures);
        Element charts = section.appendElement("div").addClass("charts");
        for (Measure measure : List.of(Measure.PROMPT_TOKENS, Measure.COMPLETION_TOKENS)) {
            Distribution values = rows.distribution(measure);
            if (values.count() > 0) {
                Page.chart(charts, values.bars("Answered rows by " + measure.title(), measure.title() + " of a row"));
            }
        }
    }

    private static void quantiles(Element section, RowProfile rows, List<Measure> measures) {
        Table table = Table.in(
                section,
                "Of " + Numbers.count(rows.distribution(Measure.PROMPT_TOKENS).count())
                        + " answered rows; quantiles to within 1 %",
                "",
                "#sum",
                "#mean",
                "#smallest",
                "#median",
                "#90 %",
                "#99 %",
                "#largest");
        for (Measure measure : measures) {
            Distribution values = rows.distribution(measure);
            table.row(
                    measure.title(),
                    Numbers.plain(values.sum()),
                    Numbers.plain(values.mean()),
                    Numbers.plain(values.quantile(0)),
                    Numbers.plain(values.quantile(0.5)),
                    Numbers.plain(values.quantile(0.9)),
                    Numbers.plain(values.quantile(0.99)),
                    Numbers.plain(values.count() == 0 ? Double.NaN : values.max()));
        }
    }

    private void throughput(Element section) {
        if (time.isEmpty()) {
            section.appendElement("p")
                    .addClass("soft")
                    .text("The run has no metrics.jsonl, so how it went on is not known.");
            return;
        }
        Element charts = section.appendElement("div").addClass("charts");
        Map<String, ToDoubleFunction<TimeLine.Span>> tokens = new LinkedHashMap<>();
        tokens.put("prompt", TimeLine.rate(Counter.PROMPT_TOKENS));
        tokens.put("of these from a cache", TimeLine.rate(Counter.CACHED_TOKENS));
        tokens.put("completion", TimeLine.rate(Counter.COMPLETION_TOKENS));
        Page.chart(charts, time.chart("Tokens a second, all executors", "tokens/s", tokens));
        Map<String, ToDoubleFunction<TimeLine.Span>> done = new LinkedHashMap<>();
        done.put("ok", TimeLine.rate(Counter.ROWS_OK));
        done.put("error", TimeLine.rate(Counter.ROWS_ERROR));
        Page.chart(charts, time.chart("Rows a second, all executors", "rows/s", done));
        Page.chart(
                charts,
                time.chart(
                        "Batch occupancy: tokens in the steps, of those that would have fitted",
                        "occupancy, %",
                        Map.of("occupancy", TimeLine::occupancy)));
        Map<String, ToDoubleFunction<TimeLine.Span>> sequences = new LinkedHashMap<>();
        sequences.put("running", TimeLine.Span::running);
        sequences.put("waiting", TimeLine.Span::waiting);
        Page.chart(charts, time.chart("Sequences in the engines", "sequences", sequences));
        Table table = Table.in(
                section,
                "Executors",
                "executor",
                "device",
                "cards",
                "#rows ok",
                "#rows error",
                "#prompt tokens",
                "#cached",
                "#completion tokens",
                "#steps",
                "#occupancy",
                "#most cache, MiB",
                "#tokens out/s");
        time.executors()
                .forEach((id, executor) -> table.row(
                        Texts.shown(id),
                        Texts.shown(executor.device()),
                        Texts.shown(executor.cards()),
                        Numbers.count(executor.done(Counter.ROWS_OK)),
                        Numbers.count(executor.done(Counter.ROWS_ERROR)),
                        Numbers.count(executor.done(Counter.PROMPT_TOKENS)),
                        Numbers.percent(share(executor, Counter.CACHED_TOKENS, Counter.PROMPT_TOKENS)),
                        Numbers.count(executor.done(Counter.COMPLETION_TOKENS)),
                        Numbers.count(executor.done(Counter.STEPS)),
                        Numbers.percent(share(executor, Counter.STEP_TOKENS, Counter.STEP_CAPACITY)),
                        Numbers.plain(executor.mostCacheBytes() / 1048576.0),
                        Numbers.plain(1000 * executor.done(Counter.COMPLETION_TOKENS) / executor.ms())));
    }

    private static double share(TimeLine.Executor executor, Counter part, Counter whole) {
        return (double) executor.done(part) / executor.done(whole);
    }

    private static void latency(Element section, RowProfile rows) {
        quantiles(section, rows, List.of(Measure.QUEUED_MS, Measure.PREFILL_MS, Measure.DECODE_MS, Measure.ALL_MS));
        double all = rows.distribution(Measure.ALL_MS).sum();
        Table shares = Table.in(section, "Where the time of the rows went", "", "#share", "");
        for (Measure measure : List.of(Measure.QUEUED_MS, Measure.PREFILL_MS, Measure.DECODE_MS)) {
            double share = rows.distribution(measure).sum() / all;
            Element line = shares.row(measure.title().replace(", ms", ""), Numbers.percent(share), "");
            meter(line, share);
        }
        section.appendElement("p")
                .addClass("soft")
                .text("Rows are computed many at once, so these times overlap. Queued is the wait before the first"
                        + " prefill step, in a full batch for most of a run's length; prefill ends with the first token,"
                        + " decode with the last.");
    }

    /// A bar in a line's last cell.
    static void meter(Element line, double share) {
        if (!Double.isNaN(share)) {
            line.child(line.childrenSize() - 1)
                    .appendElement("meter")
                    .attr("min", "0")
                    .attr("max", "1")
                    .attr("value", String.format(Locale.ROOT, "%.4f", share));
        }
    }

    private void gate(Element section) {
        JsonNode verdict = folder.json(RunFolder.aside("verdict.json"));
        if (verdict.isMissingNode()) {
            section.appendElement("p").addClass("soft").text("The output was not judged.");
            return;
        }
        String word = verdict.path(Verdict.VERDICT).asText();
        section.appendElement("p")
                .addClass(color(word))
                .text(Texts.shown(verdict.path(Verdict.MESSAGE).asText(word)));
        Table table = Table.in(section, "", "rule", "level", "", "#rows that break it", "#measured", "asked for");
        for (JsonNode rule : verdict.path(Verdict.RULES)) {
            String status = rule.path(Verdict.Rule.STATUS).asText();
            JsonNode actual = rule.path(Verdict.Rule.ACTUAL);
            Element line = table.row(
                    Texts.shown(rule.path(Verdict.Rule.NAME).asText()),
                    Texts.shown(rule.path(Verdict.Rule.LEVEL).asText()),
                    Texts.shown(status),
                    rule.path(Verdict.Rule.FAILING_ROWS).isNumber()
                            ? Numbers.count(rule.path(Verdict.Rule.FAILING_ROWS).asLong())
                            : Numbers.NONE,
                    actual.isNumber() ? Numbers.plain(actual.asDouble()) : Numbers.NONE,
                    Texts.shown(rule.path(Verdict.Rule.EXPECTED).asText()));
            line.child(2).addClass(color(status.equals("fail") ? level(rule) : status));
        }
        for (JsonNode rule : verdict.path(Verdict.RULES)) {
            broken(section, rule);
        }
        quarantine(section);
    }

    private static String level(JsonNode rule) {
        return rule.path(Verdict.Rule.LEVEL).asText().equals("fail-run") ? "fail" : "warn";
    }

    private static String color(String word) {
        return switch (word) {
            case "pass" -> "good";
            case "fail", "error" -> "bad";
            default -> "warn";
        };
    }

    private static void broken(Element section, JsonNode rule) {
        if (rule.path(Verdict.Rule.EXAMPLES).isEmpty()
                || !rule.path(Verdict.Rule.STATUS).asText().equals("fail")) {
            return;
        }
        Element details = Page.details(
                section,
                "rows that break " + Texts.shown(rule.path(Verdict.Rule.NAME).asText(), 100));
        details.attr("open", "");
        details.appendElement("p")
                .text(Texts.shown(rule.path(Verdict.Rule.DESCRIPTION).asText() + " "
                        + rule.path(Verdict.Rule.MESSAGE).asText()));
        Table table = Table.in(details, "", "row", "status", "answer, or why there is none");
        for (JsonNode example : rule.path(Verdict.Rule.EXAMPLES)) {
            JsonNode place = example.path(Verdict.Example.INPUT_REF);
            table.row(
                    Texts.shown(place.path("file").asText() + " row group "
                            + place.path("row_group").asText() + " row "
                            + place.path("row").asText()),
                    Texts.shown(example.path(Verdict.Example.STATUS).asText()),
                    Texts.shown(example.path(Verdict.Example.EXCERPT).asText()));
        }
    }

    private void quarantine(Element section) {
        JsonNode gate = manifest.path("gate");
        long quarantined = gate.path("quarantined").asLong();
        if (quarantined == 0 && manifest.path("retried").asLong() == 0) {
            return;
        }
        section.appendElement("h3").text("Set aside");
        Table table = Table.in(section, "", "", "#rows");
        table.row("set aside by the last verdict (_millrace/quarantine)", Numbers.count(quarantined));
        table.row("computed again", Numbers.count(manifest.path("retried").asLong()));
        table.row(
                "of these answered and not set aside any more",
                Numbers.count(gate.path("recovered").asLong()));
        JsonNode retries = manifest.path("retries");
        if (!retries.isEmpty()) {
            Table times = Table.in(section, "Retries", "began", "state", "#rows", "parameters by rule");
            retries.forEach(retry -> times.row(
                    retry.path("started_at").asText(),
                    Texts.shown(retry.path("state").asText()),
                    Numbers.count(retry.path("rows").asLong()),
                    Texts.shown(retry.path("parameters").toString())));
        }
    }

    private void plan(Element section) {
        JsonNode forecast = folder.json(RunFolder.aside("forecast.json"));
        if (forecast.isMissingNode()) {
            section.appendElement("p")
                    .addClass("soft")
                    .text("The run was not planned by millrace plan, so there is no forecast and no price.");
            return;
        }
        if (!Deviation.isOfSameSettings(forecast, manifest)) {
            section.appendElement("p").text("The forecast is of a run with other settings.");
        }
        Table table = Table.in(section, "", "", "#planned", "#actual", "#actual / planned");
        Long steps = time.isEmpty() ? null : Long.valueOf(time.total(Counter.STEPS));
        for (Deviation deviation : Deviation.of(forecast, manifest, steps)) {
            compared(table, deviation.measure().replace('_', ' '), deviation.predicted(), deviation.actual());
        }
        double planned = forecast.path("device_hours").asDouble();
        if (!time.isEmpty() && planned > 0) {
            double hours = time.executorSeconds() / 3600;
            compared(table, "device-hours", planned, hours);
            JsonNode cost = forecast.path("cost");
            if (cost.path("total").isNumber()) {
                double total = cost.path("total").asDouble();
                // at the price that was planned with
                compared(table, "cost, " + Texts.shown(cost.path("currency").asText()), total, total / planned * hours);
            }
        }
        services(section, forecast.path("public_apis"));
    }

    /// What a public service would take for the planned tokens.
    private static void services(Element section, JsonNode services) {
        if (services.isEmpty()) {
            return;
        }
        Table table = Table.in(
                section, "The planned tokens elsewhere", "model", "currency", "#off-peak", "#peak", "source", "seen");
        services.forEach(service -> table.row(
                Texts.shown(service.path("model").asText()),
                Texts.shown(service.path("currency").asText()),
                Numbers.plain(service.path("off_peak").asDouble()),
                Numbers.plain(service.path("peak").asDouble()),
                Texts.shown(service.path("source").asText()),
                Texts.shown(service.path("seen").asText())));
    }

    private static void compared(Table table, String name, double planned, double actual) {
        table.row(
                name,
                Numbers.plain(planned),
                Numbers.plain(actual),
                planned > 0 ? String.format(Locale.ROOT, "%.2f", actual / planned) : Numbers.NONE);
    }

    private static void answers(Element section, RowProfile rows) {
        examples(section, rows.answers(), "answer", "reference");
    }

    /// ROUGE of the rows that have a reference.
    void rouge(Element section) {
        if (rows == null || rows.rouge(0).count() == 0) {
            return;
        }
        Table table = Table.in(
                section,
                "Means over " + Numbers.count(rows.rouge(0).count())
                        + " rows with an answer and a reference, with the bounds of 95 % of 1,000 resamples",
                "F1",
                "#mean",
                "#low",
                "#high");
        for (int score = 0; score < RowProfile.ROUGE.size(); score++) {
            Resamples.Interval interval = rows.rouge(score);
            table.row(
                    RowProfile.ROUGE.get(score),
                    String.format(Locale.ROOT, "%.2f", interval.mean()),
                    String.format(Locale.ROOT, "%.2f", interval.low()),
                    String.format(Locale.ROOT, "%.2f", interval.high()));
        }
    }

    boolean hasRouge() {
        return rows != null && rows.rouge(0).count() > 0;
    }
}
