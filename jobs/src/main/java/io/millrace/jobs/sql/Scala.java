package io.millrace.jobs.sql;

import java.util.List;
import java.util.function.UnaryOperator;
import scala.PartialFunction;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/// What Spark's planner takes and gives, in Java's terms.
final class Scala {

    private Scala() {}

    static <T> Seq<T> seq(List<? extends T> items) {
        return CollectionConverters.<T>asScala(List.copyOf(items)).toSeq();
    }

    static <T> List<T> list(Seq<T> items) {
        return List.copyOf(CollectionConverters.asJava(items));
    }

    /// A rewriting of trees: what it leaves alone, it gives back.
    static <T> PartialFunction<T, T> rewriting(UnaryOperator<T> rewrite) {
        return new PartialFunction<>() {
            @Override
            public boolean isDefinedAt(T node) {
                return true;
            }

            @Override
            public T apply(T node) {
                return rewrite.apply(node);
            }
        };
    }
}
