package io.millrace.jobs.sql;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.NamedLambdaVariable;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import scala.runtime.AbstractFunction1;
import scala.runtime.BoxedUnit;

/// Refuses queries whose calls cannot be asked.
final class CallPlaces extends AbstractFunction1<LogicalPlan, BoxedUnit> {

    /// Whether a call depends on a lambda's variable.
    static boolean isInLambda(Expression call) {
        return call.exists(NamedLambdaVariable.class::isInstance);
    }

    /// @throws IllegalArgumentException if calls name several models, or one depends on a lambda's variable
    @Override
    public BoxedUnit apply(LogicalPlan plan) {
        List<Expression> calls = new ArrayList<>();
        plan.foreachWithSubqueries(node -> {
            calls.addAll(CallColumns.calls(node));
            return BoxedUnit.UNIT;
        });
        Set<String> models = new TreeSet<>();
        for (Expression call : calls) {
            models.add(((ModelCall) call).recipe().model());
            if (isInLambda(call)) {
                throw new IllegalArgumentException(
                        call + ": cannot be asked of elements in a lambda; explode the array, and ask of its rows");
            }
        }
        if (models.size() > 1) {
            throw new IllegalArgumentException("model: expected one in a query, since an executor has one engine, got "
                    + models + "; write the answers of one to a table, and ask the other of that");
        }
        return BoxedUnit.UNIT;
    }
}
