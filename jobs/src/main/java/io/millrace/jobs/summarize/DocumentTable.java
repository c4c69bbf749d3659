package io.millrace.jobs.summarize;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import scala.jdk.javaapi.CollectionConverters;

/// The table of a run's documents, a row for each row of its input, and what is read of it in each round.
final class DocumentTable {
    static final String DOCUMENT = "document";
    static final String CUSTOM_ID = "custom_id";
    static final String TEXT = "text";
    static final String REFERENCE = "reference";
    /// As {@link io.millrace.udf.CarriedFault} has it; null if nothing is wrong with the row.
    static final String FAULT = "fault";
    /// JSON object of the other columns that the templates name.
    static final String COLUMNS = "columns";
    static final String CHUNK_TOKENS = "chunk_tokens";
    /// Array of {@link Chunk}.
    static final String CHUNKS = "chunks";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final TypeReference<Map<String, String>> STRINGS = new TypeReference<>() {};

    private static final StructType CHUNK = new StructType()
            .add("start", DataTypes.IntegerType, false)
            .add("end", DataTypes.IntegerType, false)
            .add("tokens", DataTypes.IntegerType, false)
            .add("overlap", DataTypes.IntegerType, false);

    static final StructType SCHEMA = new StructType()
            .add(DOCUMENT, DataTypes.LongType, false)
            .add(CUSTOM_ID, DataTypes.StringType, true)
            .add(TEXT, DataTypes.StringType, true)
            .add(REFERENCE, DataTypes.StringType, true)
            .add(FAULT, DataTypes.StringType, true)
            .add(COLUMNS, DataTypes.StringType, false)
            .add(CHUNK_TOKENS, DataTypes.IntegerType, false)
            .add(CHUNKS, new ArrayType(CHUNK, false), false);

    private DocumentTable() {}

    static Row row(
            long number, @Nullable String customId, @Nullable String reference, @Nullable String fault, Document of) {
        List<Row> chunks = of.chunks().stream()
                .map(chunk -> RowFactory.create(chunk.start(), chunk.end(), chunk.tokens(), chunk.overlap()))
                .toList();
        return RowFactory.create(
                number,
                customId,
                of.text(),
                reference,
                fault,
                json(of.columns()),
                of.chunkTokens(),
                CollectionConverters.asScala(chunks).toSeq());
    }

    /// @param row with the columns of {@link #SCHEMA}, and perhaps others
    static Document of(Row row) {
        List<Chunk> chunks = new ArrayList<>();
        for (Row chunk : row.<Row>getList(row.fieldIndex(CHUNKS))) {
            chunks.add(new Chunk(chunk.getInt(0), chunk.getInt(1), chunk.getInt(2), chunk.getInt(3)));
        }
        return new Document(row.getAs(TEXT), strings(row.getAs(COLUMNS)), chunks, row.<Integer>getAs(CHUNK_TOKENS));
    }

    static String json(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("strings and numbers can always be written", e);
        }
    }

    private static Map<String, String> strings(String json) {
        try {
            return JSON.readValue(json, STRINGS);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("columns: expected a JSON object of strings, got " + json, e);
        }
    }
}
