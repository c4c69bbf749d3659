package io.millrace.jobs.sql;

import java.util.List;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Sort;
import org.apache.spark.sql.execution.SortExec;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.SparkStrategy;
import org.apache.spark.sql.internal.SQLConf;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/// Plans {@link AskModel}, with the session's settings as they are now, and an order of all rows above it, which
/// reads them twice: for their ranges, and to order them. An order of which only the first rows are taken,
/// which does not, is planned by Spark before this is asked.
final class AskModelStrategy extends SparkStrategy {

    /// @throws io.millrace.jobs.ConfigException if the settings are wrong
    @Override
    public Seq<SparkPlan> apply(LogicalPlan plan) {
        return switch (plan) {
            case AskModel ask -> Scala.seq(List.of(asking(ask)));
            case Sort sort
            when sort.global() && AskModels.isAsking(sort.child()) ->
                Scala.seq(List.of(new SortExec(sort.order(), true, planLater(AskModels.kept(sort.child())), 0)));
            default -> Scala.seq(List.of());
        };
    }

    private SparkPlan asking(AskModel ask) {
        SqlSettings settings =
                SqlSettings.of(CollectionConverters.asJava(SQLConf.get().getAllConfs()));
        return new AskModelExec(settings.task(ask.call().recipe()), ask.call(), ask.answer(), planLater(ask.child()));
    }
}
