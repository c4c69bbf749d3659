package io.millrace.udf;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.Serializable;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.jspecify.annotations.Nullable;

/// One more computation of a row that the gate had quarantined. With the row's identity and the run's
/// fingerprint it says all that the answer follows from, so it stands in the row.
///
/// @param attempt which retry of the row, from 1; it moves the row's random numbers
/// @param rules names of the rules that the answer before broke, in the order of their file
/// @param parameters what takes the place of the run's sampling, by the names of the configuration
public record Retry(int attempt, List<String> rules, SortedMap<String, Double> parameters) implements Serializable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final TypeReference<TreeMap<String, Double>> NUMBERS = new TypeReference<>() {};

    public Retry {
        rules = List.copyOf(rules);
        parameters = Collections.unmodifiableSortedMap(new TreeMap<>(parameters));
        if (attempt < 1) {
            throw new IllegalArgumentException("retry: expected an attempt from 1, got " + attempt);
        }
    }

    /// As the column `retry` has it.
    Row toColumn() {
        return RowFactory.create(attempt, String.join(",", rules), json());
    }

    /// Of the column `retry`; null for a row that was computed once.
    public static @Nullable Retry ofColumn(@Nullable Row column) {
        if (column == null) {
            return null;
        }
        try {
            return new Retry(
                    column.getInt(0),
                    List.of(column.getString(1).split(",")),
                    JSON.readValue(column.getString(2), NUMBERS));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("retry: expected numbers by name, got " + column.getString(2), e);
        }
    }

    /// The parameters as a JSON object; whole numbers without a fraction.
    private String json() {
        ObjectNode object = JSON.createObjectNode();
        parameters.forEach((name, value) -> {
            if (value == Math.rint(value)) {
                object.put(name, value.longValue());
            } else {
                object.put(name, value);
            }
        });
        return object.toString();
    }
}
