package io.millrace.jobs.sql;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.udf.InputColumns;
import io.millrace.udf.PromptTemplate;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.StringJoiner;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericRowWithSchema;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/// Arguments of calls as input rows of a job. Confined to one task.
final class Questions {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String RESPONSE_FORMAT = "response_format";
    private static final String SEED = "seed";

    private final ModelFunction function;
    private final int partition;
    private final List<String> columns;
    private final StructType schema;
    private long row;
    private Parameters last = new Parameters(null, null, null);

    /// What parameters and detail of a row come to; the same for many rows, most often for all.
    private record Parameters(
            @Nullable String given,
            @Nullable String detail,
            @Nullable String json) {}

    Questions(ModelTask task, int partition) {
        this.function = task.call().function();
        this.partition = partition;
        columns = PromptTemplate.parse(task.generate().prompt().template()).columns();
        schema = InputColumns.schema(columns);
    }

    /// @param arguments those of a {@link ModelCall}
    Row question(InternalRow arguments) {
        String detail = string(arguments, ModelCall.DETAIL);
        boolean isNull = function.detail() != null && detail == null;
        Map<String, @Nullable Object> values = new HashMap<>();
        values.put(InputColumns.FILE, function.sqlName());
        values.put(InputColumns.FILE_VERSION, "");
        values.put(InputColumns.ROW_GROUP, partition);
        values.put(InputColumns.ROW, row++);
        values.put(InputColumns.TEXT, isNull ? null : string(arguments, ModelCall.TEXT));
        if (function == ModelFunction.SCORE) {
            values.put(
                    InputColumns.CONTINUATIONS,
                    JSON.createArrayNode().add(detail).toString());
        } else {
            values.put(InputColumns.PARAMETERS, parameters(string(arguments, ModelCall.PARAMETERS), detail));
        }
        for (String column : columns) {
            values.put(column, column.equals(function.detail()) ? shown(detail) : null);
        }
        return new GenericRowWithSchema(
                Arrays.stream(schema.fieldNames()).map(values::get).toArray(), schema);
    }

    private static @Nullable String string(InternalRow arguments, int index) {
        return arguments.isNullAt(index) ? null : arguments.getUTF8String(index).toString();
    }

    private @Nullable String parameters(@Nullable String given, @Nullable String detail) {
        if (last.json() == null || !Objects.equals(last.given(), given) || !Objects.equals(last.detail(), detail)) {
            last = new Parameters(given, detail, complete(given, detail));
        }
        return last.json();
    }

    /// With the form of the answer, and with a seed: without one, a row's would come from its place, which
    /// in a query says nothing. What is no JSON object is left for the row's error to tell of.
    private String complete(@Nullable String given, @Nullable String detail) {
        try {
            JsonNode parameters = given == null ? JSON.createObjectNode() : JSON.readTree(given);
            if (!(parameters instanceof ObjectNode body)) {
                return String.valueOf(given);
            }
            if (!body.hasNonNull(SEED)) {
                body.put(SEED, 0);
            }
            JsonNode format = body.path(RESPONSE_FORMAT);
            if (format.isTextual()) {
                body.set(RESPONSE_FORMAT, JSON.readTree(format.textValue()));
            }
            if (detail != null) {
                JsonNode value = JSON.readTree(detail);
                JsonNode form = function == ModelFunction.CLASSIFY
                        ? JSON.createObjectNode().set("enum", value)
                        : value;
                ObjectNode asked = body.putObject(RESPONSE_FORMAT).put("type", "json_schema");
                asked.putObject("json_schema").set("schema", form);
            }
            return body.toString();
        } catch (JsonProcessingException _) {
            return String.valueOf(given);
        }
    }

    /// For eyes: labels without the signs of JSON.
    private @Nullable String shown(@Nullable String detail) {
        if (detail == null || function != ModelFunction.CLASSIFY) {
            return detail;
        }
        StringJoiner labels = new StringJoiner(", ");
        try {
            JSON.readTree(detail).forEach(label -> labels.add(label.asText()));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("Spark wrote an array that is no JSON: " + detail, e);
        }
        return labels.toString();
    }
}
