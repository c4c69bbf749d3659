package io.millrace.jobs.sql;

import java.io.Serializable;
import java.util.LinkedHashMap;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.execution.metric.SQLMetric;
import org.apache.spark.sql.execution.metric.SQLMetrics;
import scala.collection.immutable.Map;
import scala.jdk.javaapi.CollectionConverters;

/// What the page of a query tells of an operator that asks the model. Counted in tasks.
record AnswerMetrics(
        SQLMetric rows, SQLMetric errors, SQLMetric promptTokens, SQLMetric cachedTokens, SQLMetric completionTokens)
        implements Serializable {

    static AnswerMetrics of(SparkContext context) {
        return new AnswerMetrics(
                SQLMetrics.createMetric(context, "number of output rows"),
                SQLMetrics.createMetric(context, "rows with an error"),
                SQLMetrics.createMetric(context, "prompt tokens"),
                SQLMetrics.createMetric(context, "cached prompt tokens"),
                SQLMetrics.createMetric(context, "completion tokens"));
    }

    Map<String, SQLMetric> byName() {
        java.util.Map<String, SQLMetric> names = new LinkedHashMap<>();
        names.put("numOutputRows", rows);
        names.put("errors", errors);
        names.put("promptTokens", promptTokens);
        names.put("cachedTokens", cachedTokens);
        names.put("completionTokens", completionTokens);
        return Map.from(CollectionConverters.asScala(names));
    }
}
