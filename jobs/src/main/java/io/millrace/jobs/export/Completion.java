package io.millrace.jobs.export;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.jobs.JobException;
import io.millrace.schemas.Columns;
import io.millrace.schemas.Columns.Completion.Engine;
import io.millrace.schemas.Columns.Completion.InputRef;
import io.millrace.schemas.Columns.Completion.Logprobs;
import io.millrace.schemas.Columns.Completion.RowError;
import io.millrace.schemas.Columns.Completion.Scores;
import io.millrace.schemas.Columns.Completion.ToolCalls;
import java.util.List;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;

/// A canonical row, as the formats look at it.
record Completion(Row row) {
    private static final int ID_DIGITS = 24;

    static List<Completion> of(List<Row> rows) {
        return rows.stream().map(Completion::new).toList();
    }

    private String name(String column) {
        return row.getAs(column);
    }

    boolean isOk() {
        return name(Columns.Completion.STATUS).equals("ok");
    }

    boolean isError() {
        return name(Columns.Completion.STATUS).equals("error");
    }

    boolean isScored() {
        return row.getAs(Scores.COLUMN) != null;
    }

    boolean isChat() {
        return name(Columns.Completion.PROMPT_FORMAT).equals("chat");
    }

    String requestId() {
        return name(Columns.Completion.REQUEST_ID);
    }

    /// Enough of the request id to tell rows apart.
    String shortId() {
        return requestId().substring(0, ID_DIGITS);
    }

    /// The caller's key.
    ///
    /// @throws JobException if the row has none
    String key() {
        String key = row.getAs(Columns.Completion.CUSTOM_ID);
        if (key == null) {
            throw new JobException("row " + place() + ": expected a custom_id (input.id-column), which names it in this"
                    + " format, got none");
        }
        return key;
    }

    String place() {
        Row ref = row.getAs(InputRef.COLUMN);
        return ref.getString(0) + ", row group " + ref.getInt(1) + ", row " + ref.getLong(2);
    }

    /// Place in its block.
    long rowInBlock() {
        return row.<Row>getAs(InputRef.COLUMN).getLong(2);
    }

    int sample() {
        return row.<Integer>getAs(Columns.Completion.SAMPLE_IDX);
    }

    /// The answer; empty where there is none.
    String text() {
        String text = row.getAs(Columns.Completion.OUTPUT_TEXT);
        return text == null ? "" : text;
    }

    @Nullable
    String reasoning() {
        return row.getAs(Columns.Completion.REASONING_TEXT);
    }

    @Nullable
    String reference() {
        return row.getAs(Columns.Completion.REFERENCE);
    }

    String finishReason() {
        return name(Columns.Completion.FINISH_REASON);
    }

    int number(String column) {
        return row.<Integer>getAs(column);
    }

    String model() {
        return row.<Row>getAs(Engine.COLUMN).getAs(Engine.MODEL);
    }

    long writtenSeconds() {
        return row.<java.sql.Timestamp>getAs(Columns.Completion.WRITTEN_AT)
                .toInstant()
                .getEpochSecond();
    }

    String fingerprint() {
        return name(Columns.Completion.CONFIG_FINGERPRINT);
    }

    Row error() {
        return row.getAs(RowError.COLUMN);
    }

    List<Row> scores() {
        return row.getList(row.fieldIndex(Scores.COLUMN));
    }

    /// In OpenAI's shape; null for none.
    @Nullable
    ArrayNode toolCalls() {
        if (row.getAs(ToolCalls.COLUMN) == null) {
            return null;
        }
        ArrayNode calls = JsonNodeFactory.instance.arrayNode();
        for (Row call : row.<Row>getList(row.fieldIndex(ToolCalls.COLUMN))) {
            Row function = call.getStruct(2);
            calls.addObject()
                    .put("id", call.getString(0))
                    .put("type", call.getString(1))
                    .putObject("function")
                    .put("name", function.getString(0))
                    .put("arguments", function.getString(1));
        }
        return calls;
    }

    /// The message of an assistant in OpenAI's shape.
    ObjectNode message() {
        ArrayNode calls = toolCalls();
        ObjectNode message = JsonNodeFactory.instance.objectNode().put("role", "assistant");
        message.put("content", calls != null && text().isEmpty() ? null : text());
        if (reasoning() != null) {
            message.put("reasoning_content", reasoning());
        }
        if (calls != null) {
            message.set("tool_calls", calls);
        }
        return message;
    }

    /// In OpenAI's shape for conversations or for texts; null if they were not asked for.
    @Nullable
    ObjectNode logprobs() {
        if (row.getAs(Logprobs.COLUMN) == null) {
            return null;
        }
        List<Row> tokens = row.getList(row.fieldIndex(Logprobs.COLUMN));
        return isChat() ? chatLogprobs(tokens) : textLogprobs(tokens);
    }

    private static ObjectNode chatLogprobs(List<Row> tokens) {
        ObjectNode logprobs = JsonNodeFactory.instance.objectNode();
        ArrayNode content = logprobs.putArray("content");
        for (Row token : tokens) {
            ObjectNode entry = entry(token);
            ArrayNode top = entry.putArray("top_logprobs");
            token.<Row>getList(3).forEach(other -> top.add(entry(other)));
            content.add(entry);
        }
        return logprobs;
    }

    private static ObjectNode entry(Row token) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("token", token.getString(0))
                .put("logprob", token.getDouble(2))
                .putNull("bytes");
    }

    private static ObjectNode textLogprobs(List<Row> tokens) {
        ObjectNode logprobs = JsonNodeFactory.instance.objectNode();
        ArrayNode texts = logprobs.putArray("tokens");
        ArrayNode values = logprobs.putArray("token_logprobs");
        ArrayNode tops = logprobs.putArray("top_logprobs");
        ArrayNode offsets = logprobs.putArray("text_offset");
        int offset = 0;
        for (Row token : tokens) {
            texts.add(token.getString(0));
            values.add(token.getDouble(2));
            ObjectNode top = tops.addObject();
            token.<Row>getList(3).forEach(other -> top.put(other.getString(0), other.getDouble(2)));
            offsets.add(offset);
            offset += token.getString(0).length();
        }
        return logprobs;
    }
}
