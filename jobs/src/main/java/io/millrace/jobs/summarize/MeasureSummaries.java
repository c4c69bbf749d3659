package io.millrace.jobs.summarize;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.jobs.summarize.LastRequest.Source;
import io.millrace.udf.References;
import io.millrace.udf.Sentences;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/// Measures a summary and the lead of its document, and says where the summary's sentences come from.
/// Offsets that come out count code points.
final class MeasureSummaries implements Function<Row, Row> {
    private static final long serialVersionUID = 1L;
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final TypeReference<List<Source>> SOURCES = new TypeReference<>() {};
    private static final TypeReference<List<String>> TEXTS = new TypeReference<>() {};

    static final String SUMMARY = "summary";
    static final String LEAD = "lead";
    static final String CHUNK_COVERAGE = "chunk_coverage";

    private static final StructType MEASURES = measures();
    private static final StructType ORIGIN = new StructType()
            .add("chunk", DataTypes.IntegerType, false)
            .add("start", DataTypes.IntegerType, false)
            .add("end", DataTypes.IntegerType, false)
            .add("share", DataTypes.DoubleType, false);
    private static final StructType SENTENCE = new StructType()
            .add("start", DataTypes.IntegerType, false)
            .add("end", DataTypes.IntegerType, false)
            .add("text", DataTypes.StringType, false)
            .add("origins", new ArrayType(ORIGIN, false), false);

    /// What the rows are that come out.
    static final StructType SCHEMA = new StructType()
            .add("file", DataTypes.StringType, false)
            .add("row_group", DataTypes.IntegerType, false)
            .add("row", DataTypes.LongType, false)
            .add("custom_id", DataTypes.StringType, true)
            .add("status", DataTypes.StringType, false)
            .add(SUMMARY, MEASURES, false)
            .add(LEAD, MEASURES, false)
            .add("chunks", DataTypes.IntegerType, true)
            .add(CHUNK_COVERAGE, DataTypes.DoubleType, true)
            .add("left_out", new ArrayType(DataTypes.StringType, false), false)
            .add("sentences", new ArrayType(SENTENCE, false), false);

    private final int leadSentences;
    private final boolean referenced;

    /// @param leadSentences of the document's beginning
    /// @param referenced whether the job has references
    MeasureSummaries(int leadSentences, boolean referenced) {
        this.leadSentences = leadSentences;
        this.referenced = referenced;
    }

    private static StructType measures() {
        StructType schema = new StructType();
        for (String name : Measures.NAMES) {
            schema = schema.add(name, DataTypes.DoubleType, true);
        }
        return schema;
    }

    /// @param row file, row_group, row, custom_id, status, output_text, text, reference, chunks, left_out
    @Override
    public Row call(Row row) {
        String text = row.getString(6);
        String summary = row.getString(5);
        String reference = row.getString(7);
        // a document that the job has no reference of counts for nothing, one without a summary does
        List<String> references = !referenced || reference == null ? List.of() : References.of(reference);
        List<Source> chunks = read(row.getString(8), SOURCES);
        List<Provenance.Sentence> sentences = text == null || summary == null || chunks.isEmpty()
                ? List.of()
                : new Provenance(text, chunks).of(summary);
        return RowFactory.create(
                row.getString(0),
                row.getInt(1),
                row.getLong(2),
                row.getString(3),
                row.getString(4),
                RowFactory.create((Object[]) Measures.of(text, references, summary)),
                RowFactory.create((Object[]) Measures.of(text, references, text == null ? null : lead(text))),
                chunks.isEmpty() ? null : chunks.size(),
                sentences.isEmpty() ? null : coverage(sentences, chunks.size()),
                array(read(row.getString(9), TEXTS)),
                array(sentences.stream()
                        .map(sentence -> row(sentence, String.valueOf(summary), String.valueOf(text), chunks))
                        .toList()));
    }

    private String lead(String text) {
        return String.join(" ", Sentences.of(text).stream().limit(leadSentences).toList());
    }

    /// Share of the chunks that are among the origins of a sentence, in percent.
    private static double coverage(List<Provenance.Sentence> sentences, int chunks) {
        Set<Integer> named = new HashSet<>();
        sentences.forEach(sentence -> sentence.origins().forEach(origin -> named.add(origin.chunk())));
        return 100.0 * named.size() / chunks;
    }

    private static Row row(Provenance.Sentence sentence, String summary, String text, List<Source> chunks) {
        List<Row> origins = new ArrayList<>();
        for (Provenance.Origin origin : sentence.origins()) {
            Source chunk = chunks.get(origin.chunk());
            origins.add(RowFactory.create(
                    origin.chunk(), points(text, chunk.start()), points(text, chunk.end()), origin.share()));
        }
        return RowFactory.create(
                points(summary, sentence.start()),
                points(summary, sentence.end()),
                summary.substring(sentence.start(), sentence.end()),
                array(origins));
    }

    private static int points(String text, int units) {
        return text.codePointCount(0, units);
    }

    private static <T> Seq<T> array(List<T> items) {
        return CollectionConverters.asScala(items).toSeq();
    }

    private static <T> List<T> read(@Nullable String json, TypeReference<List<T>> type) {
        try {
            return json == null ? List.of() : JSON.readValue(json, type);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("expected a JSON array, got " + json, e);
        }
    }
}
