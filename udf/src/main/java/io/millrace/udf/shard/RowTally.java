package io.millrace.udf.shard;

import io.millrace.schemas.Columns.Completion;
import io.millrace.udf.SparkSchemas;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/// Adds rows up to a {@link RowSummary}. Confined to one thread.
public final class RowTally {
    private static final StructType SCHEMA = SparkSchemas.completion();
    private static final int STATUS = SCHEMA.fieldIndex(Completion.STATUS);
    private static final int ERROR = SCHEMA.fieldIndex(Completion.RowError.COLUMN);
    private static final int CODE = struct(ERROR).fieldIndex(Completion.RowError.CODE);
    private static final int PROMPT = SCHEMA.fieldIndex(Completion.PROMPT_TOKENS);
    private static final int CACHED = SCHEMA.fieldIndex(Completion.CACHED_TOKENS);
    private static final int COMPLETION = SCHEMA.fieldIndex(Completion.COMPLETION_TOKENS);
    private static final int REASONING = SCHEMA.fieldIndex(Completion.REASONING_TOKENS);
    private static final int ROUGE1 = SCHEMA.fieldIndex(Completion.ROUGE1);
    private static final int ROUGE2 = SCHEMA.fieldIndex(Completion.ROUGE2);
    private static final int ROUGE_L = SCHEMA.fieldIndex(Completion.ROUGE_L);
    private static final int RETRY = SCHEMA.fieldIndex(Completion.Retry.COLUMN);
    private static final int ENGINE = SCHEMA.fieldIndex(Completion.Engine.COLUMN);

    private final Map<String, Long> states = new TreeMap<>();
    private final Map<String, Long> errors = new TreeMap<>();
    private final RowDigest digest = new RowDigest();
    private long rows;
    private long retried;
    private long retriedOk;
    private long promptTokens;
    private long cachedTokens;
    private long completionTokens;
    private long reasoningTokens;
    private long scored;
    private double rouge1;
    private double rouge2;
    private double rougeL;
    private @Nullable Row engine;

    private static StructType struct(int column) {
        return (StructType) SCHEMA.apply(column).dataType();
    }

    /// @param row of the shape of `completion.v3`
    public void add(Row row) {
        rows++;
        states.merge(row.getString(STATUS), 1L, Long::sum);
        if (!row.isNullAt(ERROR)) {
            errors.merge(row.getStruct(ERROR).getString(CODE), 1L, Long::sum);
        }
        if (!row.isNullAt(RETRY)) {
            retried++;
            retriedOk += row.isNullAt(ERROR) ? 1 : 0;
        }
        promptTokens += row.getInt(PROMPT);
        cachedTokens += row.getInt(CACHED);
        completionTokens += row.getInt(COMPLETION);
        reasoningTokens += row.getInt(REASONING);
        if (!row.isNullAt(ROUGE1)) {
            scored++;
            rouge1 += row.getDouble(ROUGE1);
            rouge2 += row.getDouble(ROUGE2);
            rougeL += row.getDouble(ROUGE_L);
        }
        engine = row.getStruct(ENGINE);
        digest.add(row);
    }

    public RowSummary summary() {
        return new RowSummary(
                rows,
                states,
                errors,
                retried,
                retriedOk,
                promptTokens,
                cachedTokens,
                completionTokens,
                reasoningTokens,
                scored,
                rouge1,
                rouge2,
                rougeL,
                engineFields(),
                digest.hex());
    }

    private Map<String, String> engineFields() {
        Map<String, String> fields = new LinkedHashMap<>();
        if (engine != null) {
            String[] names = struct(ENGINE).fieldNames();
            for (int field = 0; field < names.length; field++) {
                fields.put(names[field], engine.getString(field));
            }
        }
        return fields;
    }
}
