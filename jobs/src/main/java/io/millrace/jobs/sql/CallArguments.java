package io.millrace.jobs.sql;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.udf.PromptFormat;
import io.millrace.udf.PromptTemplate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.sql.catalyst.expressions.CreateNamedStruct;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.NamedArgumentExpression;
import org.apache.spark.sql.catalyst.expressions.StructsToJson;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.NullType;
import org.apache.spark.sql.types.StringType;
import org.jspecify.annotations.Nullable;

/// The arguments of a call as they were written, by position, by name or both, and what they mean.
final class CallArguments {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ModelFunction function;
    private final Map<String, Expression> given = new LinkedHashMap<>();
    private int byPosition;

    private CallArguments(ModelFunction function) {
        this.function = function;
    }

    /// @throws IllegalArgumentException if the arguments are not those of the function
    static ModelCall call(ModelFunction function, List<Expression> written) {
        CallArguments arguments = new CallArguments(function);
        for (Expression argument : written) {
            arguments.add(argument);
        }
        arguments.requireAll();
        return arguments.call();
    }

    private void add(Expression argument) {
        String name;
        Expression value;
        if (argument instanceof NamedArgumentExpression named) {
            name = named.key().toLowerCase(Locale.ROOT);
            value = named.value();
        } else if (byPosition == given.size() && byPosition < positions().size()) {
            name = positions().get(byPosition++);
            value = argument;
        } else {
            throw wrong("expected at most " + positions() + " by position, and others by name behind them");
        }
        if (!function.names().contains(name)) {
            throw wrong("expected arguments of " + function.names() + ", got " + name);
        }
        if (given.put(name, value) != null) {
            throw wrong("expected " + name + " once, got it twice");
        }
    }

    private List<String> positions() {
        return function.positions().stream().filter(function.names()::contains).toList();
    }

    private void requireAll() {
        List<String> missing = positions().stream()
                .filter(name -> !name.equals(ModelFunction.PARAMETERS) && !given.containsKey(name))
                .toList();
        if (!missing.isEmpty()) {
            throw wrong("expected " + positions() + ", got no " + String.join(" and no ", missing));
        }
    }

    private ModelCall call() {
        String model = constant(ModelFunction.MODEL);
        if (model == null || model.isBlank()) {
            throw wrong("model: expected a path, got " + (model == null ? "NULL" : "an empty one"));
        }
        return new ModelCall(
                new CallRecipe(function, model, constant(ModelFunction.SYSTEM), template(), format()),
                Scala.seq(List.of(text(function.text()), detail(), parameters())));
    }

    private Expression text(String name) {
        Expression value = value(name);
        return typed(name, value, value.dataType() instanceof StringType, "STRING");
    }

    private Expression detail() {
        String name = function.detail();
        if (name == null) {
            return string(null);
        }
        return switch (function) {
            case CLASSIFY -> labels(name);
            case EXTRACT -> string(schema(name));
            case GENERATE, SUMMARIZE, SCORE -> text(name);
        };
    }

    /// As a JSON array.
    private Expression labels(String name) {
        Expression value = value(name);
        boolean fits = value.dataType() instanceof ArrayType array && array.elementType() instanceof StringType;
        Expression labels = typed(name, value, fits, "ARRAY<STRING>");
        return labels.dataType() instanceof StringType ? labels : new StructsToJson(labels);
    }

    private @Nullable String schema(String name) {
        String schema = constant(name);
        try {
            if (schema == null || JSON.readTree(schema).isObject()) {
                return schema;
            }
        } catch (JsonProcessingException _) {
            // said below
        }
        throw wrong(name + ": expected a JSON Schema, which is a JSON object, got " + schema);
    }

    /// Either one JSON object, or one that is made of the arguments by name.
    private Expression parameters() {
        List<Expression> fields = new ArrayList<>();
        for (String name : function.sampling()) {
            if (given.containsKey(name)) {
                fields.add(string(name));
                fields.add(value(name));
            }
        }
        if (given.containsKey(ModelFunction.PARAMETERS)) {
            if (!fields.isEmpty()) {
                throw wrong("expected either parameters or " + function.sampling() + " by name, got both");
            }
            return text(ModelFunction.PARAMETERS);
        }
        return fields.isEmpty() ? string(null) : new StructsToJson(new CreateNamedStruct(Scala.seq(fields)));
    }

    private @Nullable String template() {
        String template = constant(ModelFunction.TEMPLATE);
        if (template == null) {
            return function.template();
        }
        for (String column : PromptTemplate.parse(template).columns()) {
            if (!column.equals(function.detail())) {
                throw wrong("template: expected {text}"
                        + (function.detail() == null ? "" : " and {" + function.detail() + "}") + ", got {" + column
                        + "}");
            }
        }
        return template;
    }

    private PromptFormat format() {
        String format = constant(ModelFunction.FORMAT);
        return switch (format == null ? "" : format.toLowerCase(Locale.ROOT)) {
            case "" -> function.format();
            case "chat" -> PromptFormat.CHAT;
            case "raw" -> PromptFormat.RAW;
            default -> throw wrong("format: expected chat or raw, got " + format);
        };
    }

    private @Nullable String constant(String name) {
        Expression value = given.get(name);
        if (value == null) {
            return null;
        }
        if (!value.foldable()) {
            throw wrong(name + ": expected a constant, the same for all rows, got " + value.sql());
        }
        Object constant = text(name).eval(null);
        return constant == null ? null : constant.toString();
    }

    private Expression value(String name) {
        Expression value = given.get(name);
        if (value == null) {
            throw wrong("expected " + name + ", got none");
        }
        return value;
    }

    /// A bare NULL has a type that fits anywhere.
    private Expression typed(String name, Expression value, boolean fits, String expected) {
        DataType type = value.dataType();
        if (type instanceof NullType) {
            return string(null);
        }
        if (!fits) {
            throw wrong(name + ": expected " + expected + ", got " + type.sql());
        }
        return value;
    }

    private static Expression string(@Nullable String text) {
        return Literal.create(text, DataTypes.StringType);
    }

    private IllegalArgumentException wrong(String message) {
        return new IllegalArgumentException(function.sqlName() + ": " + message);
    }
}
