package io.millrace.jobs.sql;

import java.util.List;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.SparkStrategy;
import org.apache.spark.sql.internal.SQLConf;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/// Plans {@link AskModel}, with the session's settings as they are now.
final class AskModelStrategy extends SparkStrategy {

    /// @throws io.millrace.jobs.ConfigException if the settings are wrong
    @Override
    public Seq<SparkPlan> apply(LogicalPlan plan) {
        if (!(plan instanceof AskModel ask)) {
            return Scala.seq(List.of());
        }
        SqlSettings settings =
                SqlSettings.of(CollectionConverters.asJava(SQLConf.get().getAllConfs()));
        return Scala.seq(List.of(new AskModelExec(
                settings.task(ask.call().recipe()), ask.call(), ask.answer(), planLater(ask.child()))));
    }
}
