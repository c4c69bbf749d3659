package io.millrace.jobs.generate;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.greatest;
import static org.apache.spark.sql.functions.least;
import static org.apache.spark.sql.functions.size;
import static org.apache.spark.sql.functions.struct;

import io.millrace.udf.Rouge;
import io.millrace.udf.TextMetrics;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.api.java.UDF2;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.jspecify.annotations.Nullable;

/// Self-Instruct's filter (Wang et al. 2023, section 2.3): an instruction is new if its ROUGE-L F1 with
/// every earlier one is at most the threshold. Words are those of {@link TextMetrics}, which on ASCII
/// text are those of Google's `rouge_score` without stemming, and of texts that have no such words
/// (Chinese, Russian) the words that they have.
///
/// Every new text is compared with every other whose length lets the threshold be passed at all: as much
/// work as the method itself has, spread over the executors.
record Novelty(double threshold) {

    /// @param texts columns `position`, `row_id` and `text`
    /// @param isNew column that tells texts to be judged from those that stand
    /// @return pairs as {@link FirstWins} takes them
    Dataset<Row> pairs(Dataset<Row> texts, Column isNew) {
        UDF1<@Nullable String, String[]> words =
                text -> text == null ? new String[0] : TextMetrics.words(text).toArray(String[]::new);
        Dataset<Row> split = texts.select(
                        struct(col(PipelineRow.POSITION), col(PipelineRow.ROW_ID))
                                .as("#row"),
                        isNew.as("#new"),
                        functions
                                .udf(words, DataTypes.createArrayType(DataTypes.StringType))
                                .apply(col("text"))
                                .as("#words"))
                .localCheckpoint();
        Column shorter = least(size(col("a.#words")), size(col("b.#words")));
        Column longer = greatest(size(col("a.#words")), size(col("b.#words")));
        // the common subsequence has at most the shorter's words
        Column possible = shorter.multiply(2.0).gt(shorter.plus(longer).multiply(threshold));
        UDF2<scala.collection.Seq<String>, scala.collection.Seq<String>, Double> rouge = (a, b) -> rougeL(
                scala.jdk.javaapi.CollectionConverters.asJava(a), scala.jdk.javaapi.CollectionConverters.asJava(b));
        return split.as("a")
                .join(
                        split.as("b").where("b.`#new`"),
                        col("a.#row").lt(col("b.#row")).and(possible))
                .select(
                        col("a.#row").as(FirstWins.EARLIER),
                        col("b.#row").as(FirstWins.LATER),
                        functions
                                .udf(rouge, DataTypes.DoubleType)
                                .apply(col("a.#words"), col("b.#words"))
                                .as(FirstWins.SIMILARITY))
                .where(col(FirstWins.SIMILARITY).gt(threshold));
    }

    /// F1 of the longest common subsequence of words (Lin 2004, section 3.1); 0 if either has none.
    static double rougeL(List<String> a, List<String> b) {
        int common = Rouge.longestCommonSubsequence(a, b);
        return common == 0 ? 0 : 2.0 * common / (a.size() + b.size());
    }
}
