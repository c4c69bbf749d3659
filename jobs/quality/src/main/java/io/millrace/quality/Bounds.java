package io.millrace.quality;

import java.math.BigDecimal;
import java.math.MathContext;
import org.jspecify.annotations.Nullable;

/// A closed interval, open-ended where a side is null.
///
/// @param atLeast smallest value that holds
/// @param atMost largest value that holds
record Bounds(@Nullable Double atLeast, @Nullable Double atMost) {

    static Bounds atLeast(double value) {
        return new Bounds(value, null);
    }

    static Bounds exactly(double value) {
        return new Bounds(value, value);
    }

    boolean holds(double value) {
        return (atLeast == null || value >= atLeast) && (atMost == null || value <= atMost);
    }

    /// In words, for a person: `at least 0.995`.
    String words() {
        if (atLeast != null && atLeast.equals(atMost)) {
            return "exactly " + number(atLeast);
        }
        if (atLeast != null && atMost != null) {
            return "between " + number(atLeast) + " and " + number(atMost);
        }
        if (atLeast != null) {
            return "at least " + number(atLeast);
        }
        return atMost == null ? "any value" : "at most " + number(atMost);
    }

    /// Ten significant digits, for a person: a mean of 0.35 is not said as 0.34999999999999987.
    static String rounded(double value) {
        return number(new BigDecimal(value).round(new MathContext(10)).doubleValue());
    }

    /// Shortest decimal form that reads back as the same value, without an exponent.
    static String number(double value) {
        if (Double.isNaN(value) || Double.isInfinite(value)) {
            return Double.toString(value);
        }
        BigDecimal decimal = new BigDecimal(Double.toString(value)).stripTrailingZeros();
        return decimal.signum() == 0 ? "0" : decimal.toPlainString();
    }
}
