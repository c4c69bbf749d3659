package io.millrace.jobs.export;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.udf.InputColumns;
import io.millrace.udf.PromptFormat;
import io.millrace.udf.PromptRecipe;
import io.millrace.udf.PromptTemplate;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;

/// What was asked with an input row, as the run made it before it was cut to the model's length.
final class Prompts {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final PromptRecipe recipe;
    private final PromptTemplate template;

    Prompts(PromptRecipe recipe) {
        this.recipe = recipe;
        this.template = PromptTemplate.parse(recipe.template());
    }

    /// A conversation in OpenAI's form; a text is its user's turn. Null if the row has no such prompt.
    @Nullable
    ArrayNode messages(Row input) {
        return switch (recipe.format()) {
            case CHAT, RAW, CONTROL -> turn(text(input));
            case MESSAGES -> array(json(input));
            case OPENAI -> {
                JsonNode body = json(input);
                yield body == null
                        ? null
                        : body.path("prompt").isTextual()
                                ? turn(body.path("prompt").textValue())
                                : array(body.path("messages"));
            }
        };
    }

    /// The prompt as one text.
    String spelled(Row input) {
        String text = recipe.format().isJson() ? input.getAs(InputColumns.TEXT) : text(input);
        return text == null ? "" : text;
    }

    private @Nullable String text(Row input) {
        String text = input.getAs(InputColumns.TEXT);
        return text == null
                ? null
                : template.render(text, column -> {
                    String value = input.getAs(column);
                    return value == null ? "" : value;
                });
    }

    private @Nullable ArrayNode turn(@Nullable String text) {
        if (text == null) {
            return null;
        }
        ArrayNode messages = JsonNodeFactory.instance.arrayNode();
        if (recipe.system() != null && recipe.format() == PromptFormat.CHAT) {
            messages.addObject().put("role", "system").put("content", recipe.system());
        }
        messages.addObject().put("role", "user").put("content", text);
        return messages;
    }

    private static @Nullable JsonNode json(Row input) {
        String text = input.getAs(InputColumns.TEXT);
        try {
            return text == null ? null : JSON.readTree(text);
        } catch (JsonProcessingException _) {
            // its row is an error row, which says so
            return null;
        }
    }

    private static @Nullable ArrayNode array(@Nullable JsonNode node) {
        JsonNode messages = node instanceof ObjectNode object ? object.path("messages") : node;
        return messages instanceof ArrayNode array ? array.deepCopy() : null;
    }
}
