package io.millrace.jobs.sql;

import io.millrace.udf.PromptFormat;
import io.millrace.udf.PromptRecipe;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/// A function that asks the model.
enum ModelFunction {
    GENERATE("llm_generate", "prompt", null, PromptRecipe.TEXT_ONLY, "The model's answer to a prompt."),
    SUMMARIZE("llm_summarize", "text", null, null, "The summary of a text, as `millrace summarize` writes it."),
    CLASSIFY(
            "llm_classify",
            "text",
            "labels",
            "Which of these labels fits the text best? {labels}\n\nText:\n{text}\n\nAnswer with the label alone, as a"
                    + " JSON string.",
            "One of the labels."),
    EXTRACT(
            "llm_extract",
            "text",
            "schema",
            "Extract from the text what this JSON Schema describes. Answer with the JSON value alone.\n\nSchema:\n"
                    + "{schema}\n\nText:\n{text}",
            "A JSON value of the schema."),
    SCORE(
            "llm_score",
            "prompt",
            "continuation",
            PromptRecipe.TEXT_ONLY,
            "The natural logarithm of a continuation's probability after a prompt.");

    static final String MODEL = "model";
    static final String PARAMETERS = "parameters";
    static final String SYSTEM = "system";
    static final String TEMPLATE = "template";
    static final String FORMAT = "format";

    /// Fields of a request in OpenAI's form that say how it is answered.
    private static final Set<String> SAMPLING =
            Set.of("temperature", "top_p", "top_k", "min_p", "max_tokens", "seed", "stop", "reasoning_effort");
    /// The same, of functions whose answers have no form of their own.
    private static final String RESPONSE_FORMAT = "response_format";

    private final String sqlName;
    private final String text;
    private final @Nullable String detail;
    private final @Nullable String template;
    private final String description;

    ModelFunction(String sqlName, String text, @Nullable String detail, @Nullable String template, String description) {
        this.sqlName = sqlName;
        this.text = text;
        this.detail = detail;
        this.template = template;
        this.description = description;
    }

    String sqlName() {
        return sqlName;
    }

    /// The argument that is asked about.
    String text() {
        return text;
    }

    /// The argument that says what of the text is asked for; null if there is none.
    @Nullable
    String detail() {
        return detail;
    }

    /// How text and detail become the user's turn; null for the session's template.
    @Nullable
    String template() {
        return template;
    }

    String description() {
        return description;
    }

    /// A continuation follows plain text, all else is asked in a conversation.
    PromptFormat format() {
        return this == SCORE ? PromptFormat.RAW : PromptFormat.CHAT;
    }

    /// Arguments by position.
    List<String> positions() {
        return detail == null ? List.of(MODEL, text, PARAMETERS) : List.of(MODEL, text, detail, PARAMETERS);
    }

    /// Arguments by name that say how the model answers.
    Set<String> sampling() {
        Set<String> names = new TreeSet<>();
        if (this != SCORE) {
            names.addAll(SAMPLING);
        }
        if (this == GENERATE || this == SUMMARIZE) {
            names.add(RESPONSE_FORMAT);
        }
        return names;
    }

    /// All arguments.
    Set<String> names() {
        Set<String> names = new TreeSet<>(positions());
        names.addAll(sampling());
        names.addAll(List.of(SYSTEM, FORMAT));
        if (this != SCORE) {
            names.add(TEMPLATE);
        } else {
            names.remove(PARAMETERS);
        }
        return names;
    }

    /// What a call yields.
    StructType type() {
        DataType value = this == SCORE ? DataTypes.DoubleType : DataTypes.StringType;
        return new StructType()
                .add("value", value)
                .add("finish_reason", DataTypes.StringType)
                .add(
                        "usage",
                        new StructType()
                                .add("prompt_tokens", DataTypes.IntegerType, false)
                                .add("cached_tokens", DataTypes.IntegerType, false)
                                .add("completion_tokens", DataTypes.IntegerType, false),
                        false)
                .add(
                        "error",
                        new StructType()
                                .add("class", DataTypes.StringType, false)
                                .add("code", DataTypes.StringType, false)
                                .add("message", DataTypes.StringType, false));
    }
}
