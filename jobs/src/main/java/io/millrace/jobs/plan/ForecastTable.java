package io.millrace.jobs.plan;

import io.millrace.jobs.inspect.ModelMemory;
import io.millrace.jobs.plan.Lengths.Bucket;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A forecast for a person.
final class ForecastTable {
    private static final int BAR = 40;
    /// Characters of a prompt that are shown.
    private static final int SHOWN = 400;

    private final Forecast forecast;
    private final PrintWriter out;

    ForecastTable(Forecast forecast, PrintWriter out) {
        this.forecast = forecast;
        this.out = out;
    }

    void print() {
        rows();
        lengths();
        work();
        memory();
        time();
        money();
        prompts();
        out.flush();
    }

    private void rows() {
        Survey survey = forecast.survey();
        line(
                "rows",
                number(survey.rows())
                        + (survey.isExact()
                                ? ""
                                : "  (what follows is an estimate from "
                                        + number(survey.looked().size()) + ", drawn at random)"));
        line(
                "over-long",
                number(survey.ofAll(survey.overlong().size())) + "  ("
                        + forecast.config().prompt().overlong().wireName() + ")");
        Survey.examples(survey.overlong()).forEach(row -> line("", row.place()));
        for (Map.Entry<String, List<EncodedRow>> code : survey.refused().entrySet()) {
            line("error rows", number(survey.ofAll(code.getValue().size())) + "  " + code.getKey());
            Survey.examples(code.getValue()).forEach(row -> line("", String.valueOf(row.message())));
        }
    }

    private void lengths() {
        Lengths lengths = forecast.survey().promptLengths();
        line(
                "prompt",
                format(
                        "mean %.1f tokens%s, median %,d, 90%% %,d, 99%% %,d, longest %,d%s",
                        lengths.mean(),
                        within(lengths.meanError()),
                        lengths.quantile(0.5),
                        lengths.quantile(0.9),
                        lengths.quantile(0.99),
                        lengths.quantile(1),
                        forecast.survey().isCounted() ? "" : "; guessed by the characters, the server counts"));
        long most = lengths.histogram().stream().mapToLong(Bucket::rows).max().orElse(1);
        for (Bucket bucket : lengths.histogram()) {
            String range = bucket.from() == bucket.to()
                    ? number(bucket.to())
                    : number(bucket.from()) + "-" + number(bucket.to());
            int bar = (int) Math.max(1, Math.round((double) BAR * bucket.rows() / most));
            out.println(format("  %15s %8s %s", range, number(bucket.rows()), "#".repeat(bar)));
        }
    }

    private void work() {
        Forecast.Work work = forecast.work();
        AnswerLength length = work.length();
        line(
                "answer",
                format(
                        "mean %.1f tokens%s, from %s",
                        length.mean(),
                        within(length.error()),
                        switch (length.source()) {
                            case GIVEN -> "what was given";
                            case SAMPLE -> number(calibration().wholeAnswers()) + " answers of a sample";
                            case REFERENCES -> "the references";
                            case MAX_TOKENS -> "sampling.max-tokens: an upper bound";
                        }));
        line("answers", number(work.answers()));
        line("prompt tokens", number(work.promptTokens()));
        line(
                "shared prefixes",
                format("%.1f%%, %s tokens", 100 * forecast.prefixes().share(), number(work.sharedTokens())));
        line("completion tokens", number(work.completionTokens()));
        Long steps = work.steps();
        Double occupancy = work.occupancy();
        if (steps != null && occupancy != null) {
            line(
                    "steps",
                    format(
                            "%s, of at most %s tokens and %s rows, %.0f%% full",
                            number(steps),
                            number(forecast.config().engine().stepTokens()),
                            number(forecast.config().engine().maxRunning()),
                            100 * occupancy));
        }
    }

    private Calibration calibration() {
        Calibration calibration = forecast.calibration();
        if (calibration == null) {
            throw new IllegalStateException("a sample was measured");
        }
        return calibration;
    }

    private void memory() {
        ModelMemory memory = forecast.memory();
        if (memory == null) {
            line(
                    "memory",
                    "not known: engine.kind " + forecast.config().engine().kind());
            return;
        }
        int cards = forecast.fleet().cards();
        if (forecast.config().engine().kind().equals(Planner.SERVED)) {
            int most = forecast.config().engine().maxRunning();
            long caches = most * memory.cacheBytes();
            line(
                    "memory",
                    format(
                            "of each server: weights %s; caches of %s rows at a time about %s",
                            bytes(memory.weightBytes()), number(most), bytes(caches)));
            cards(memory.weightBytes() + caches, Math.max(1, cards));
            return;
        }
        long rows = memory.budgetBytes() / Math.max(1, memory.cacheBytes());
        line(
                "memory",
                format(
                        "of each executor: weights %s of %s that the host has; caches %s of a heap of %s, %s to a row:"
                                + " %s rows at a time",
                        bytes(memory.weightBytes()),
                        bytes(memory.availableBytes()),
                        bytes(memory.budgetBytes()),
                        bytes(memory.heapBytes()),
                        bytes(memory.cacheBytes()),
                        number(rows)));
        if (memory.weightBytes() > memory.availableBytes() && cards == 0) {
            line("", "the weights do not fit, and would be read from disk again and again");
        }
        int beams = forecast.config().sampling().beams();
        if (beams * memory.longestCacheBytes() > memory.budgetBytes()) {
            line(
                    "",
                    "the longest row wants " + bytes(beams * memory.longestCacheBytes())
                            + " of cache and will be an error row");
        }
        if (cards > 0) {
            cards(memory.weightBytes() + memory.budgetBytes(), cards);
        }
    }

    private void cards(long bytes, int cards) {
        long ofOne = bytes / cards;
        DeviceProfile profile = forecast.profile();
        long has = profile == null ? 0 : profile.deviceMemoryBytes();
        String verdict = has == 0
                ? "; what a card has is not told (device-memory-bytes of a profile)"
                : (ofOne <= has ? ", which fits into " : ", which does not fit into ") + bytes(has);
        line("", format("of each card of a group of %d: weights and caches %s%s", cards, bytes(ofOne), verdict));
    }

    private void time() {
        Double seconds = forecast.seconds();
        Double hours = forecast.deviceHours();
        Calibration calibration = forecast.calibration();
        if (seconds == null || hours == null) {
            line("hours", "not known: nothing was measured, and no profile was given");
            return;
        }
        line(
                "time",
                format(
                        "%s, or %.4f device-hours of %s %s",
                        duration(seconds),
                        hours,
                        number(forecast.fleet().devices()),
                        forecast.fleet().cards() > 0 ? "cards" : "executors"));
        DeviceProfile profile = forecast.profile();
        if (profile != null) {
            line("", "by the profile " + profile.name() + " (" + profile.source() + ")");
        }
        if (calibration != null) {
            Calibration.Round last = calibration.rounds().getLast();
            line(
                    "",
                    format(
                            "measured here: %s rows in %.1f s after %s rows to warm up, %.0f prompt and %.0f completion"
                                    + " tokens/s%s",
                            number(last.rows()),
                            last.seconds(),
                            number(calibration.rounds().stream()
                                            .mapToLong(Calibration.Round::rows)
                                            .sum()
                                    - last.rows()),
                            last.computed() / last.seconds(),
                            last.completion() / last.seconds(),
                            last.isWhole() ? "" : "; answers were cut at " + last.maxTokens() + " tokens"));
        }
        String open = forecast.open();
        if (open != null) {
            line("", "not known before: " + open);
        }
    }

    private void money() {
        Prices prices = forecast.prices();
        Double cost = forecast.cost();
        line(
                "cost",
                cost == null
                        ? "not known: --device-hour was not given, or the time is not known"
                        : money(cost) + ", at " + money(forecast.deviceHourPrice()) + " a device-hour");
        for (Prices.Model model : prices.models()) {
            Prices.Rate peak = model.peak();
            line(
                    "at " + model.model(),
                    money(forecast.cost(model.offPeak()))
                            + (peak == null ? "" : " off-peak, " + money(forecast.cost(peak)) + " at peak")
                            + "  (" + model.source() + ", " + model.seen() + ")");
        }
    }

    private void prompts() {
        int at = 1;
        for (EncodedRow row : forecast.prompts()) {
            String text = String.valueOf(row.isRefused() ? row.message() : row.spelled());
            String shown = text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "…";
            out.println();
            out.println("row " + at++
                    + (row.isRefused() ? ", an error row:" : format(", %,d tokens:", row.promptTokens())));
            shown.lines().forEach(line -> out.println("  | " + line));
        }
    }

    private void line(String name, String value) {
        out.println(format("%-18s %s", name, value));
    }

    private static String within(double error) {
        return error == 0 ? "" : format(" ± %.1f", error);
    }

    private String money(@Nullable Double amount) {
        return amount == null
                ? "?"
                : format("%.4g %s", amount, forecast.prices().currency());
    }

    private static String number(long number) {
        return format("%,d", number);
    }

    private static String bytes(long bytes) {
        if (bytes == Long.MAX_VALUE) {
            return "an unknown amount";
        }
        return bytes < 10L << 30 ? format("%,.1f MiB", bytes / 0x1p20) : format("%,.1f GiB", bytes / 0x1p30);
    }

    private static String duration(double seconds) {
        if (seconds < 120) {
            return format("%.1f seconds", seconds);
        }
        return seconds < 7200 ? format("%.1f minutes", seconds / 60) : format("%.1f hours", seconds / 3600);
    }

    @SuppressWarnings("AnnotateFormatMethod") // the annotation is of a library that nothing else here needs
    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
