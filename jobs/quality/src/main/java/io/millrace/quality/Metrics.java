package io.millrace.quality;

import com.amazon.deequ.VerificationResult;
import com.amazon.deequ.analyzers.Analyzer;
import com.amazon.deequ.analyzers.Completeness;
import com.amazon.deequ.analyzers.Mean;
import com.amazon.deequ.analyzers.Size;
import io.millrace.schemas.Columns.Completion;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import scala.Option;
import scala.collection.JavaConverters;
import scala.collection.immutable.Map$;

/// What is measured in every audit, whether a rule asks for it or not, so that runs can be compared later.
final class Metrics {

    private static final List<String> ALWAYS = List.of(
            Completion.PROMPT_TOKENS,
            Completion.CACHED_TOKENS,
            Completion.COMPLETION_TOKENS,
            Completion.OUTPUT_CHARS,
            Completion.LENGTH_RATIO,
            Completion.REPETITION,
            Completion.REPLACEMENT_CHARS,
            Completion.MEAN_LOGPROB,
            Completion.ROUGE1,
            Completion.ROUGE2,
            Completion.ROUGE_L);

    private Metrics() {}

    /// The row count, and completeness and mean of the numbers that describe an answer, as far as the output
    /// has them.
    static List<Analyzer<?, ?>> always(StructType flat) {
        List<Analyzer<?, ?>> analyzers = new ArrayList<>();
        analyzers.add(new Size(Option.empty()));
        for (StructField field : flat.fields()) {
            if (ALWAYS.contains(field.name()) && field.dataType() instanceof NumericType) {
                analyzers.add(new Completeness(field.name(), Option.empty(), Option.empty()));
                analyzers.add(new Mean(field.name(), Option.empty()));
            }
        }
        return analyzers;
    }

    /// Every metric that could be computed, as a JSON array of Deequ's own records (entity, instance, name,
    /// value).
    static void write(Path file, VerificationResult result) {
        VerdictFile.writeWhole(file, VerificationResult.successMetricsAsJson(result, Constraints.nil()) + "\n");
    }

    static scala.collection.immutable.Map<String, String> scalaMap(Map<String, String> map) {
        scala.collection.immutable.Map<String, String> result = emptyMap();
        for (Map.Entry<String, String> entry : map.entrySet()) {
            result = result.$plus(scala.Tuple2.apply(entry.getKey(), entry.getValue()));
        }
        return result;
    }

    @SuppressWarnings("unchecked") // the empty map is a map of anything
    private static scala.collection.immutable.Map<String, String> emptyMap() {
        return (scala.collection.immutable.Map<String, String>)
                (scala.collection.immutable.Map<?, ?>) Map$.MODULE$.<String, String>empty();
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // as above: bounds lost in Java signatures
    static scala.collection.Seq<Analyzer<?, com.amazon.deequ.metrics.Metric<?>>> seq(List<Analyzer<?, ?>> analyzers) {
        return (scala.collection.Seq)
                JavaConverters.asScalaBufferConverter(analyzers).asScala().toSeq();
    }
}
