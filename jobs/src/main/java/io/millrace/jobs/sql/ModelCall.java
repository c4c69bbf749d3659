package io.millrace.jobs.sql;

import java.io.Serializable;
import java.util.Objects;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.Unevaluable;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenContext;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.types.DataType;
import org.jspecify.annotations.Nullable;
import scala.collection.immutable.IndexedSeq;
import scala.collection.immutable.Seq;

/// A call of a function that asks the model: a place holder, of which {@link AskModels} makes an operator.
///
/// Its answer depends on its arguments alone. It says of itself that it is not deterministic nevertheless:
/// that is what keeps the optimizer from writing it down twice, and so from asking twice.
public final class ModelCall extends Expression implements Unevaluable, Serializable {
    private static final long serialVersionUID = 1L;

    static final int TEXT = 0;
    static final int DETAIL = 1;
    static final int PARAMETERS = 2;

    private final CallRecipe recipe;
    private final Seq<Expression> arguments;

    /// @param arguments three strings: text, detail, parameters (a JSON object), see {@link ModelFunction}
    public ModelCall(CallRecipe recipe, Seq<Expression> arguments) {
        this.recipe = recipe;
        this.arguments = arguments;
    }

    CallRecipe recipe() {
        return recipe;
    }

    Seq<Expression> arguments() {
        return arguments;
    }

    /// Whether there is a call in an expression.
    static boolean isIn(Expression expression) {
        return expression.exists(ModelCall.class::isInstance);
    }

    /// Whether none of its arguments waits for another call.
    boolean isInnermost() {
        return Scala.list(arguments).stream().noneMatch(ModelCall::isIn);
    }

    @Override
    public boolean deterministic() {
        return false;
    }

    @Override
    public boolean nullable() {
        return true;
    }

    @Override
    public DataType dataType() {
        return recipe.function().type();
    }

    @Override
    public Seq<Expression> children() {
        return arguments;
    }

    @Override
    public Expression withNewChildrenInternal(IndexedSeq<Expression> others) {
        return new ModelCall(recipe, others);
    }

    @Override
    public Object eval(InternalRow row) {
        throw misplaced();
    }

    @Override
    public ExprCode doGenCode(CodegenContext context, ExprCode code) {
        throw misplaced();
    }

    private IllegalStateException misplaced() {
        return new IllegalStateException(
                this + ": cannot be asked in this place of a query; give it a column of its" + " own in a subquery");
    }

    @Override
    public String prettyName() {
        return recipe.function().sqlName();
    }

    @Override
    public String sql() {
        return prettyName() + "(" + arguments.apply(TEXT).sql() + ")";
    }

    @Override
    public String toString() {
        return prettyName() + "(" + arguments.apply(TEXT) + ")";
    }

    @Override
    public int productArity() {
        return 2;
    }

    @Override
    public Object productElement(int index) {
        return switch (index) {
            case 0 -> recipe;
            case 1 -> arguments;
            default -> throw new IndexOutOfBoundsException(index);
        };
    }

    @Override
    public boolean canEqual(@Nullable Object other) {
        return other instanceof ModelCall;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ModelCall call && recipe.equals(call.recipe) && arguments.equals(call.arguments);
    }

    @Override
    public int hashCode() {
        return Objects.hash(recipe, arguments);
    }
}
