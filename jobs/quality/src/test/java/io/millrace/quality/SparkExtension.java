package io.millrace.quality;

import java.util.Map;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/// One local Spark for all test classes of the module, closed when the last of them is done.
final class SparkExtension implements ParameterResolver {

    private record Shared(AuditSession session) implements AutoCloseable {

        @Override
        public void close() {
            session.close();
        }
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == SparkSession.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return context.getRoot()
                .getStore(Namespace.create(SparkExtension.class))
                .getOrComputeIfAbsent(
                        "session",
                        _ -> new Shared(AuditSession.open("local[2]", Map.of("spark.sql.shuffle.partitions", "2"))),
                        Shared.class)
                .session()
                .spark();
    }
}
