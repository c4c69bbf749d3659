package io.millrace.jobs.generate;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.struct;

import io.millrace.udf.TextMetrics;
import java.io.Serializable;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.functions;
import org.jspecify.annotations.Nullable;

/// Judges answers one by one, without a model.
interface Check extends Serializable {

    /// What is said of an answer, by the row it stands in.
    Verdict of(Subject subject);

    /// A row as a check sees it.
    record Subject(String prompt, String answer, @Nullable String reference, Row row) {

        /// A column of the seeds; null if it was not kept or is null.
        @Nullable
        String field(String name) {
            Map<String, String> fields = row.getJavaMap(row.fieldIndex(PipelineRow.FIELDS));
            return fields.get(name);
        }
    }

    /// @param score null where there is no more to say than whether it passed
    /// @param detail null where there is nothing to say
    record Verdict(
            boolean passed,
            @Nullable Double score,
            @Nullable String detail) {
        Row row() {
            return RowFactory.create(passed, score, detail);
        }
    }

    /// What is said of a table's rows, a column of {@link PipelineRow#VERDICT_TYPE}.
    default Column column() {
        Check check = this;
        UDF1<Row, Row> judge = row -> {
            String answer = row.getAs(PipelineRow.ANSWER);
            if (answer == null) {
                return new Verdict(false, null, "no answer").row();
            }
            String prompt = row.getAs(PipelineRow.PROMPT);
            return check.of(new Subject(prompt == null ? "" : prompt, answer, row.getAs(PipelineRow.REFERENCE), row))
                    .row();
        };
        return functions
                .udf(judge, PipelineRow.VERDICT_TYPE)
                .apply(struct(
                        col(PipelineRow.PROMPT),
                        col(PipelineRow.ANSWER),
                        col(PipelineRow.REFERENCE),
                        functions
                                .coalesce(
                                        col(PipelineRow.FIELDS), functions.map().cast("map<string,string>"))
                                .as(PipelineRow.FIELDS)));
    }

    /// Whether a regular expression is found in the answer, or is not where that is wanted.
    ///
    /// @param absent whether the answer passes when nothing is found
    record OfPattern(Pattern pattern, boolean absent) implements Check {
        @Override
        public Verdict of(Subject subject) {
            Matcher matcher = pattern.matcher(subject.answer());
            boolean found = matcher.find();
            return new Verdict(found != absent, null, found ? matcher.group() : null);
        }
    }

    /// Whether the answer has as many words and characters as it may have; the score is its words.
    record OfLength(int minWords, int maxWords, int minChars, int maxChars) implements Check {
        @Override
        public Verdict of(Subject subject) {
            int words = TextMetrics.words(subject.answer()).size();
            int chars = subject.answer().codePointCount(0, subject.answer().length());
            boolean fits = words >= minWords && words <= maxWords && chars >= minChars && chars <= maxChars;
            return new Verdict(fits, (double) words, words + " words, " + chars + " characters");
        }
    }

    /// Whether the answer says the same as the reference, by {@link Extract}.
    record OfReference(Extract extract) implements Check {
        @Override
        public Verdict of(Subject subject) {
            String said = extract.from(subject.answer());
            String wanted = subject.reference() == null ? null : extract.from(subject.reference());
            return new Verdict(said != null && said.equals(wanted), null, said + " against " + wanted);
        }
    }
}
