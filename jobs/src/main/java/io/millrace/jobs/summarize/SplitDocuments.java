package io.millrace.jobs.summarize;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorKind;
import io.millrace.udf.CarriedFault;
import io.millrace.udf.InputColumns;
import io.millrace.udf.RawText;
import io.millrace.udf.RowFault;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.Tuple2;

/// Input rows as documents that are cut into chunks. A row that cannot be cut is a document with what is
/// wrong with it.
final class SplitDocuments implements FlatMapFunction<Iterator<Tuple2<Row, Long>>, Row> {
    private static final long serialVersionUID = 1L;
    private static final Logger log = LoggerFactory.getLogger(SplitDocuments.class);

    private final DocumentRecipe recipe;
    private final List<String> columns;

    /// @param columns columns that the templates name
    SplitDocuments(DocumentRecipe recipe, List<String> columns) {
        this.recipe = recipe;
        this.columns = List.copyOf(columns);
    }

    @Override
    public Iterator<Row> call(Iterator<Tuple2<Row, Long>> rows) {
        if (!rows.hasNext()) {
            return Collections.emptyIterator();
        }
        Prompts prompts = recipe.prompts();
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return rows.hasNext();
            }

            @Override
            public Row next() {
                Tuple2<Row, Long> row = rows.next();
                return document(row._1(), row._2(), prompts);
            }
        };
    }

    private Row document(Row row, long number, Prompts prompts) {
        String text = row.getAs(InputColumns.TEXT);
        Map<String, String> values = new LinkedHashMap<>();
        String missing = null;
        for (String column : columns) {
            String value = row.getAs(column);
            if (value == null) {
                missing = column;
            } else {
                values.put(column, value);
            }
        }
        CarriedFault fault = fault(row, text, missing);
        Document document = new Document(text, values, List.of(), 0);
        if (fault == null && text != null && !text.isBlank()) {
            try {
                document = split(text, values, prompts);
            } catch (EngineException e) {
                if (e.code().kind() != ErrorKind.BAD_INPUT) {
                    // not the text's fault, so no other would fare better
                    throw e;
                }
                fault = broken(text, String.valueOf(e.getMessage()));
            } catch (RuntimeException e) {
                // a fault of ours that one text brings out must not take the other rows along
                log.error("document {}: not cut", number, e);
                fault = broken(text, e.toString());
            }
        }
        return DocumentTable.row(
                number,
                customId(row),
                row.getAs(InputColumns.REFERENCE),
                fault == null ? null : fault.toJson(),
                document);
    }

    private Document split(String text, Map<String, String> values, Prompts prompts) {
        int most = prompts.chunkTokens(values);
        int overlap = recipe.summarize().overlapTokens();
        return new Document(text, values, new Splitter(prompts::tokens, most, overlap).chunks(text), most);
    }

    private static CarriedFault broken(String text, String reason) {
        return new CarriedFault(
                RowFault.EARLIER_STAGE, "expected a text that can be cut, got " + reason, RawText.of(text));
    }

    private static @Nullable CarriedFault fault(Row row, @Nullable String text, @Nullable String missing) {
        String fault = row.getAs(InputColumns.FAULT);
        if (fault != null) {
            return new CarriedFault(
                    RowFault.valueOf(fault), row.getAs(InputColumns.REASON), row.getAs(InputColumns.RAW));
        }
        return missing == null
                ? null
                : new CarriedFault(
                        RowFault.COLUMN_NULL,
                        "column " + missing + ": expected a value, got null",
                        text == null ? null : RawText.of(text));
    }

    /// The caller's key, or else where the row is.
    private static String customId(Row row) {
        String given = row.getAs(InputColumns.CUSTOM_ID);
        return given != null
                ? given
                : row.<String>getAs(InputColumns.FILE) + "#" + row.<Integer>getAs(InputColumns.ROW_GROUP) + "/"
                        + row.<Long>getAs(InputColumns.ROW);
    }
}
