package io.millrace.quality;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// What a rule asks of the rows. One implementation per word of the rules file; columns are flat names.
sealed interface Expectation {

    /// In words, for a person.
    String words();

    /// The columns that must exist; predicates are checked apart.
    List<String> columns();

    /// `complete`: the share of rows in which the column is not null.
    record Complete(String column, Bounds share) implements Expectation {

        @Override
        public String words() {
            return column + " is not null in a share of " + share.words();
        }

        @Override
        public List<String> columns() {
            return List.of(column);
        }
    }

    /// `unique`: no two rows agree in all of the columns.
    record Unique(List<String> columns) implements Expectation {

        @Override
        public String words() {
            return "no two rows have the same " + String.join(" + ", columns);
        }
    }

    /// `distinct`: different values, as a share of the rows that have one.
    record Distinct(List<String> columns, Bounds share) implements Expectation {

        @Override
        public String words() {
            return "different values of " + String.join(" + ", columns) + " as a share of the rows: " + share.words();
        }
    }

    /// `single-valued`: all rows agree in all of the columns.
    record SingleValued(List<String> columns) implements Expectation {

        @Override
        public String words() {
            return "all rows have the same " + String.join(" + ", columns);
        }
    }

    /// `compliance`: the share of rows for which a SQL predicate is true; null counts as false.
    record Compliance(String predicate, Bounds share) implements Expectation {

        @Override
        public String words() {
            return predicate + " in a share of " + share.words();
        }

        @Override
        public List<String> columns() {
            return List.of();
        }
    }

    /// `contained-in`: the share of rows whose value is null or one of those listed.
    record ContainedIn(String column, List<String> values, Bounds share) implements Expectation {

        @Override
        public String words() {
            return column + " is one of " + values + " in a share of " + share.words();
        }

        @Override
        public List<String> columns() {
            return List.of(column);
        }
    }

    /// `pattern`: the share of rows whose value holds a match of the regular expression; null holds none.
    record Pattern(String column, String regex, Bounds share) implements Expectation {

        @Override
        public String words() {
            return column + " matches /" + regex + "/ in a share of " + share.words();
        }

        @Override
        public List<String> columns() {
            return List.of(column);
        }
    }

    /// `size`: the number of rows. Null bounds stand for the row count of the request.
    record Size(@Nullable Bounds bounds) implements Expectation {

        @Override
        public String words() {
            return bounds == null ? "as many rows as planned" : "rows: " + bounds.words();
        }

        @Override
        public List<String> columns() {
            return List.of();
        }
    }

    /// `rows-per-input-file`: every planned input file has exactly its planned rows, and no row is of
    /// another file.
    record RowsPerInputFile() implements Expectation {

        static final String FILE_COLUMN = "input_ref_file";

        @Override
        public String words() {
            return "every input file has its planned rows";
        }

        @Override
        public List<String> columns() {
            return List.of(FILE_COLUMN);
        }
    }

    /// `drift`: a figure that Deequ finds no anomaly, held against earlier runs.
    ///
    /// @param of the column, or with [Figure#SHARE] the predicate
    /// @param bounds of what the strategy looks at
    /// @param minRuns earlier runs without which nothing is judged, >= 1
    record Drift(Figure figure, String of, Strategy strategy, Bounds bounds, int minRuns) implements Expectation {

        /// What is held against earlier runs.
        enum Figure {
            MEAN,
            MIN,
            MAX,
            SUM,
            SHARE;

            String word() {
                return name().toLowerCase(Locale.ROOT);
            }
        }

        /// Deequ's ways to tell an anomaly, and what each looks at.
        enum Strategy {
            ABSOLUTE_CHANGE("minus that of the run before"),
            RELATIVE_CHANGE("divided by that of the run before"),
            BATCH_NORMAL("in standard deviations from the mean of the runs before"),
            ONLINE_NORMAL("in standard deviations from the mean of the runs before, anomalies left out");

            private final String looksAt;

            Strategy(String looksAt) {
                this.looksAt = looksAt;
            }

            boolean countsDeviations() {
                return this == BATCH_NORMAL || this == ONLINE_NORMAL;
            }

            String word() {
                return name().toLowerCase(Locale.ROOT).replace('_', '-');
            }
        }

        @Override
        public String words() {
            return figure.word() + " of " + of + ", " + strategy.looksAt + ": " + bounds.words();
        }

        @Override
        public List<String> columns() {
            return figure == Figure.SHARE ? List.of() : List.of(of);
        }
    }

    /// `min`, `max`, `mean`, `sum`, `quantile`: one number over the values that are not null.
    ///
    /// @param quantile in [0, 1]; used by `quantile` only
    /// @param relativeError of the rank, for `quantile` only; 0 is exact and keeps every different value in
    ///     memory
    record Statistic(Measure measure, String column, double quantile, double relativeError, Bounds bounds)
            implements Expectation {

        /// Which number.
        enum Measure {
            MIN,
            MAX,
            MEAN,
            SUM,
            QUANTILE;

            String word() {
                return name().toLowerCase(Locale.ROOT);
            }
        }

        @Override
        public String words() {
            String subject = measure == Measure.QUANTILE ? Bounds.number(quantile) + " quantile" : measure.word();
            return subject + " of " + column + ": " + bounds.words();
        }

        @Override
        public List<String> columns() {
            return List.of(column);
        }
    }
}
