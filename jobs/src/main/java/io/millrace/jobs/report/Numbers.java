package io.millrace.jobs.report;

import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Numbers as they are shown.
final class Numbers {
    /// Where there is none.
    static final String NONE = "–";

    private Numbers() {}

    static String count(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    /// With about four digits that say something; whole numbers as such.
    static String plain(@Nullable Double number) {
        if (number == null || number.isNaN()) {
            return NONE;
        }
        double size = Math.abs(number);
        boolean whole = size == Math.rint(size);
        int digits = size >= 1000 || whole ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : size >= 0.001 ? 4 : 7;
        return String.format(Locale.ROOT, "%,." + digits + "f", number);
    }

    static String percent(double share) {
        return Double.isNaN(share) ? NONE : String.format(Locale.ROOT, "%.2f %%", 100 * share);
    }

    /// As in `1:02:03`.
    static String clock(double seconds) {
        Duration duration = Duration.ofSeconds(Math.round(seconds));
        return String.format(
                Locale.ROOT, "%d:%02d:%02d", duration.toHours(), duration.toMinutesPart(), duration.toSecondsPart());
    }
}
