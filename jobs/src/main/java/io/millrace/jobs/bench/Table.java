package io.millrace.jobs.bench;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.engine.checkpoint.TokenCost;
import io.millrace.engine.kernel.Ceilings.Ceiling;
import java.io.PrintWriter;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/// The document as lines for a reader.
final class Table {
    private static final List<String> OURS = List.of(Bars.OURS, Bars.VECTOR);

    private final Results results;
    private final PrintWriter out;

    Table(Results results, PrintWriter out) {
        this.results = results;
        this.out = out;
    }

    void print() {
        line(
                "%s, %s of %s processors; %s, %s",
                results.text(Facts.MACHINE, "processor"),
                results.text(Facts.MACHINE, "threads"),
                results.text(Facts.MACHINE, "processors"),
                results.text(Facts.MODEL, Facts.FILE),
                results.text(Facts.MODEL, "quantization"));
        works();
        settings();
        bars();
        fractions();
        results.trials().properties().forEach(trial -> trial(trial.getKey(), trial.getValue()));
        out.flush();
    }

    private void works() {
        if (!results.works().isEmpty()) {
            line("%ntokens/s: median (least to most, rounds)");
        }
        for (Work work : results.works()) {
            for (String engine : results.engines(work)) {
                results.rate(work, engine)
                        .ifPresentOrElse(
                                rate -> line("%-12s %-16s %8.1f  %s", work, engine, rate, spread(work, engine)),
                                () -> line("%-12s %-16s %8s  %s", work, engine, "-", failure(work, engine)));
            }
        }
    }

    private String spread(Work work, String engine) {
        List<Double> rates = results.rates(work, engine);
        return String.format(
                Locale.ROOT,
                "(%.1f to %.1f, %d)",
                rates.stream().min(Double::compare).orElseThrow(),
                rates.stream().max(Double::compare).orElseThrow(),
                rates.size());
    }

    private String failure(Work work, String engine) {
        return results.entry(work.toString(), engine).path("failure").asText();
    }

    private void settings() {
        if (!results.works().isEmpty()) {
            line("%nsettings");
        }
        for (Work work : results.works()) {
            for (String engine : results.engines(work)) {
                line(
                        "%-12s %-16s %s",
                        work,
                        engine,
                        results.entry(work.toString(), engine).path("settings").asText());
            }
        }
    }

    private void bars() {
        List<Bars.Bar> bars = Bars.of(results.text(Facts.MODEL, Facts.ARCHITECTURE)).stream()
                .filter(bar -> ratio(bar).isPresent())
                .toList();
        if (!bars.isEmpty()) {
            line("%nratios: ours on its best ring to theirs at their best batch of at most as many streams");
        }
        for (Bars.Bar bar : bars) {
            double ratio = ratio(bar).orElseThrow();
            line(
                    "%-12s %-16s to %-12s %6.2f  %s",
                    bar.work(), ring(bar.work(), bar.ours()), bar.peer(), ratio, against(ratio, bar.atLeast()));
        }
    }

    private OptionalDouble ratio(Bars.Bar bar) {
        OptionalDouble ours = results.rate(bar.work(), ring(bar.work(), bar.ours()));
        OptionalDouble theirs = bar.work().isPrefill()
                ? results.rate(bar.work(), bar.peer())
                : results.bestRate(bar.work(), bar.peer());
        return ours.isEmpty() || theirs.isEmpty()
                ? OptionalDouble.empty()
                : OptionalDouble.of(ours.getAsDouble() / theirs.getAsDouble());
    }

    /// Which of our rings did a work fastest; the bar of one ring is that ring's.
    private String ring(Work work, String ours) {
        return ours.equals(Bars.VECTOR)
                ? ours
                : results.engines(work).stream()
                        .filter(engine -> engine.startsWith(Bars.OURS))
                        .max(Comparator.comparingDouble(
                                engine -> results.rate(work, engine).orElse(0)))
                        .orElse(ours);
    }

    private static String against(double value, double bar) {
        return String.format(Locale.ROOT, "bar %.2f: %s", bar, value >= bar ? "met" : "short");
    }

    private void fractions() {
        results.ceiling(Facts.name(Ceiling.MEMORY)).ifPresent(bandwidth -> {
            line("%nceilings of these cores, measured in the same runs");
            for (Ceiling ceiling : Ceiling.values()) {
                results.ceiling(Facts.name(ceiling))
                        .ifPresent(rate -> line(
                                "%-12s %8.1f %s",
                                Facts.name(ceiling),
                                rate / 1e9,
                                ceiling == Ceiling.MEMORY ? "GB/s" : "G operations/s"));
            }
            OURS.forEach(this::prefillFractions);
            String ring = ring(new Work(1), Bars.OURS);
            results.rate(new Work(1), ring).ifPresent(rate -> singleStream(ring, rate, bandwidth));
        });
    }

    private void prefillFractions(String engine) {
        TokenCost cost = Facts.cost(results);
        results.rate(Work.PREFILL, engine).ifPresent(rate -> {
            double operations = rate * cost.bodyOperations();
            for (Ceiling ceiling : List.of(Ceiling.INT8, Ceiling.INT8_TILES, Ceiling.BF16_TILES, Ceiling.FLOAT)) {
                results.ceiling(Facts.name(ceiling))
                        .ifPresent(peak -> line(
                                "%-12s %-16s %5.1f %% of %s  %s",
                                Work.PREFILL,
                                engine,
                                100 * operations / peak,
                                Facts.name(ceiling),
                                ceiling == Ceiling.INT8 && engine.equals(Bars.OURS)
                                        ? against(operations / peak, Bars.PREFILL_OF_INT8_PEAK)
                                        : ""));
            }
        });
    }

    private void singleStream(String ring, double rate, double bandwidth) {
        double fraction = rate * Facts.cost(results).bytesPerStep(1) / bandwidth;
        line(
                "%-12s %-16s %5.1f %% of the bandwidth over %.1f MB of weights a token  %s",
                new Work(1),
                ring,
                100 * fraction,
                Facts.cost(results).bytesPerStep(1) / 1e6,
                against(fraction, Bars.SINGLE_STREAM_OF_BANDWIDTH));
    }

    private void trial(String name, JsonNode outcome) {
        line("%n%s", name);
        outcome.properties()
                .forEach(figure ->
                        line("  %-40s %s", figure.getKey(), figure.getValue().toString()));
    }

    @SuppressWarnings("AnnotateFormatMethod") // the annotation is of a library that nothing else here needs
    private void line(String format, Object... values) {
        out.println(String.format(Locale.ROOT, format, values));
    }
}
