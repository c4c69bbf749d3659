package io.millrace.jobs.sql;

import org.apache.spark.sql.SparkSessionExtensions;
import org.apache.spark.sql.catalyst.FunctionIdentifier;
import org.apache.spark.sql.catalyst.expressions.ExpressionInfo;
import scala.Tuple3;
import scala.runtime.AbstractFunction1;
import scala.runtime.BoxedUnit;

/// Puts the functions of {@link ModelFunction} into a session:
/// `spark.sql.extensions=io.millrace.jobs.sql.MillraceExtensions`.
public final class MillraceExtensions extends AbstractFunction1<SparkSessionExtensions, BoxedUnit> {

    @Override
    public BoxedUnit apply(SparkSessionExtensions extensions) {
        for (ModelFunction function : ModelFunction.values()) {
            extensions.injectFunction(new Tuple3<>(
                    new FunctionIdentifier(function.sqlName()),
                    info(function),
                    arguments -> CallArguments.call(function, Scala.list(arguments))));
        }
        extensions.injectPostHocResolutionRule(_ -> new CallColumns());
        extensions.injectCheckRule(_ -> new CallPlaces());
        extensions.injectOptimizerRule(_ -> new AskModels());
        extensions.injectPlannerStrategy(_ -> new AskModelStrategy());
        return BoxedUnit.UNIT;
    }

    /// For `DESCRIBE FUNCTION`.
    private static ExpressionInfo info(ModelFunction function) {
        String usage = "_FUNC_(" + String.join(", ", function.positions()) + ") - " + function.description()
                + " By name: " + String.join(", ", function.names()) + ".";
        return new ExpressionInfo(
                ModelCall.class.getName(),
                null,
                function.sqlName(),
                usage,
                "",
                "",
                "",
                "misc_funcs",
                "4.2.0",
                "",
                "java_udf");
    }
}
